import { createAttempts } from './delivery/attempt.ts'
import { createDeadlines } from './delivery/deadlines.ts'
import { createDelivery, type Delivery } from './delivery/delivery.ts'
import { type Commands, createCommands } from './outbox/commands.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { StageConfig } from './stage.ts'
import type { Journal } from './storage/journal.ts'
import { encodeValue } from './storage/value.ts'
import { createResolutions } from './sync/resolutions.ts'

/** What a leader does with its outbox: delivers it, and obeys. */
export interface Courier {
  delivery: Delivery
  commands: Commands
}

export function createCourier(outbox: Outbox, journal: Journal, config: StageConfig): Courier {
  const { settings, owner, gates, views, isOnline, mayGo, trouble } = config
  const { createId, scheduler, strategyOf } = settings
  const deadlines = createDeadlines(settings.attemptTimeout, scheduler)
  const resolutions = createResolutions({ ...settings, outbox, owner })
  const attempts = createAttempts({
    owner,
    deadlines,
    metadataOf: ({ lane }) => views.metadata(lane) ?? { syncStatus: 'syncing', retryCount: 0, maxRetries: 0 },
    operatorOf: (entityType) => settings.operatorsOf(entityType)?.attempt,
    async saveProgress(entry, value) {
      const data = encodeValue(value, 'progress')
      const record = { kind: 'progress', ...outbox.stamp(), task: entry.lsn, data } as const
      outbox.commit(record)
      await journal.write([record], 'state')
    },
  })
  const delivery = createDelivery({
    ...settings,
    outbox,
    journal,
    deadlines,
    attempts,
    resolutions,
    conflictOf: views.conflict,
    isOnline,
    mayGo,
    trouble,
    whenLeading: config.freshness.whenLeading,
    isAuthorized: (entityType) => !gates.unauthorized.has(entityType),
    authRequired: gates.close,
  })
  const commands = createCommands({
    outbox,
    settle: resolutions.settle,
    journal,
    owner,
    createId,
    now: () => scheduler.now(),
    keyWindowOf: (entityType) => strategyOf(entityType)?.keyWindow ?? Infinity,
  })
  return { delivery, commands }
}
