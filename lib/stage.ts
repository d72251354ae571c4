import { type Commands, createCommands } from './outbox/commands.ts'
import { createAttempts } from './delivery/attempt.ts'
import { createDeadlines } from './delivery/deadlines.ts'
import { createDelivery, type Delivery } from './delivery/delivery.ts'
import { StorageError } from './errors.ts'
import type { Settings } from './options.ts'
import type { Lane } from './outbox/lane.ts'
import { createOutbox, type Fact, type Outbox } from './outbox/outbox.ts'
import { snapshot } from './outbox/snapshot.ts'
import { recover, type StorageNews } from './recovery.ts'
import { createJournal, type Journal } from './storage/journal.ts'
import { createMirror, type Mirror } from './storage/mirror.ts'
import { quarantine, readJournal } from './storage/readJournal.ts'
import { encodeValue } from './storage/value.ts'
import type { Views } from './sync/metadata.ts'

/** The journal of whoever leads: it outlives its instance, and the next leader continues it. */
export const leaderJournal = 'leader'

export interface StageConfig {
  settings: Settings
  space: string
  owner: string
  views: Views
  isOnline: () => boolean
  isPaused: () => boolean
  isAuthorized: (entityType: string) => boolean
  authRequired: (entityType: string) => void
  tell: (fact: Fact) => void
  changed: (lane?: Lane) => void
  trouble: (error: unknown) => void
  storage: (error: unknown) => void
  recovery: (news: StorageNews) => void
  isBusy: () => boolean
  lockOf: (journal: string) => string
}

/** An open outbox: what the journal says, and its writing side. Only a leader's has a delivery. */
export interface Stage {
  outbox: Outbox
  journal: Journal
  mirror: Mirror | undefined
  delivery: Delivery | undefined
  commands: Commands | undefined
}

/** Opens the outbox of the leader: replays its journal, and continues it one epoch higher. */
export async function lead(config: StageConfig): Promise<Stage> {
  const { settings, space, owner } = config
  const { store } = settings
  let mirror: Mirror | undefined
  const outbox = replayed(
    config,
    () => journal,
    (...change) => mirror?.changed(...change),
  )
  const found = await readJournal(store, space, leaderJournal)
  const { broken } = found
  const beside = settings.besideOf(store.kind)
  const { records, head } = await recover({ ...config, beside, journal: leaderJournal }, found)
  const journal = openJournal(config, leaderJournal, records.length)
  const changes = records.map((record) => [record, outbox.state.apply(record)] as const)
  for (const { mark } of outbox.state.tasks.values()) if (mark) mark.durable = true
  outbox.state.epoch += 1
  for (const entry of outbox.state.tasks.values())
    if (entry.expiresAt !== undefined && entry.state !== 'dead') outbox.expiring.set(entry)
  outbox.refreshAll()
  journal.note({ kind: 'opened', ...outbox.stamp(), id: (outbox.state.id ??= settings.createId()) })
  if (broken.length > 0) {
    for (const bytes of broken) await store.append(space, quarantine, bytes)
    config.trouble(
      new StorageError(`${broken.length} records could not be read; they are kept aside in "${quarantine}".`),
    )
    await journal.compact(() => snapshot(outbox.state, owner))
  }
  reportUnknown(outbox, config)
  const deadlines = createDeadlines(settings.attemptTimeout, settings.scheduler)
  const delivery = createDelivery({
    ...settings,
    outbox,
    journal,
    deadlines,
    attempts: createAttempts({
      owner,
      deadlines,
      metadataOf: ({ lane }) => config.views.metadata(lane) ?? { syncStatus: 'syncing', retryCount: 0, maxRetries: 0 },
      operatorOf: (entityType) => settings.operatorsOf(entityType)?.attempt,
      async saveProgress(entry, value) {
        const data = encodeValue(value, 'progress')
        const record = { kind: 'progress', ...outbox.stamp(), task: entry.lsn, data } as const
        outbox.commit(record)
        await journal.write([record], 'state')
      },
    }),
    isOnline: config.isOnline,
    mayGo: () => config.isOnline() && !config.isPaused(),
    isAuthorized: config.isAuthorized,
    authRequired: config.authRequired,
  })
  const { scheduler, createId, strategyOf } = settings
  const commands = createCommands({
    outbox,
    journal,
    owner,
    createId,
    now: () => scheduler.now(),
    keyWindowOf: (entityType) => strategyOf(entityType)?.keyWindow ?? Infinity,
  })
  if (beside.mirror) {
    mirror = createMirror({
      ...config,
      ...settings,
      store: beside.mirror,
      state: outbox.state,
      journal,
      name: leaderJournal,
      head,
    })
    for (const change of changes) if (head && change[0].lsn > head.opened.lsn) mirror.changed(...change)
  }
  return { outbox, journal, mirror, delivery, commands }
}

/** Everything that can be is written, here and in the mirror. */
export async function leave({ journal, mirror }: Stage): Promise<void> {
  await journal.close()
  await mirror?.close()
}

/** Opens the outbox of a tab that does not lead: it sees what the leader had written, and writes its own journal. */
export async function follow(config: StageConfig, writer: string): Promise<Stage> {
  const { records } = await readJournal(config.settings.store, config.space, leaderJournal)
  const outbox = replayed(config, () => journal)
  for (const record of records) outbox.state.apply(record)
  outbox.refreshAll()
  const journal = openJournal(config, writer, 0)
  return { outbox, journal, mirror: undefined, delivery: undefined, commands: undefined }
}

function replayed(
  { settings, tell, changed, trouble }: StageConfig,
  journalOf: () => Journal,
  committed?: Mirror['changed'],
): Outbox {
  const { scheduler, strategyOf, retryConfigOf, maxRetryAfter, maxOvertakes, quiet } = settings
  return createOutbox({
    journal: { note: (record) => journalOf().note(record) },
    now: () => scheduler.now(),
    maxOvertakes,
    quiet,
    longestWait: ({ held, lane }) => (held ? maxRetryAfter : retryConfigOf(lane.entityType).maxDelay),
    knows: (entityType) => strategyOf(entityType) !== undefined,
    coalesceOf: (entityType) => strategyOf(entityType)?.coalesce,
    tell,
    changed,
    ...(committed && { committed }),
    trouble,
  })
}

function openJournal({ settings, space, storage, changed }: StageConfig, name: string, size: number): Journal {
  const { store, scheduler } = settings
  return createJournal({
    store,
    space,
    name,
    scheduler,
    size,
    trouble: storage,
    rested: () => changed(),
  })
}

function reportUnknown({ state }: Outbox, { settings, trouble }: StageConfig): void {
  const types = new Set(Array.from(state.tasks.values(), ({ lane }) => lane.entityType))
  for (const type of types) {
    if (settings.strategyOf(type) === undefined)
      trouble(new StorageError(`Tasks of ${type} are parked: there is no strategy for it.`))
  }
}
