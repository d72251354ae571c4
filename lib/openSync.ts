import { filter, merge } from 'rxjs'
import { createDeadlines } from './delivery/deadlines.ts'
import { environment } from './environment.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { StageConfig } from './stage.ts'
import type { Journal } from './storage/journal.ts'
import { createSync, type Sync } from './sync/sync.ts'
import type { Neighbours } from './tabs/neighbours.ts'

export interface OpenSyncConfig extends StageConfig {
  outbox: Outbox
  journal: Journal
  neighbours: Pick<Neighbours, 'isFollowed' | 'lookAround' | 'settled'>
  /** Lanes that have events which are not stored yet. */
  unstored: () => ReadonlySet<string>
  /** What waits may be able to go: what the remote holds has changed. */
  goOn: () => void
}

/** The leader's: brings in what others changed, and lets the other tabs know. */
export function openSync(config: OpenSyncConfig): Sync {
  const { settings, gates, wire, neighbours, freshness } = config
  return createSync({
    ...config,
    deadlines: createDeadlines(settings.attemptTimeout, settings.scheduler),
    focus$: merge(environment.focus$(), wire.messages$.pipe(filter(({ is }) => is === 'focus'))),
    isAuthorized: (entityType) => !gates.unauthorized.has(entityType),
    authRequired: gates.close,
    whenLeading: freshness.whenLeading,
    async lookAround() {
      // Whoever follows may not have been heard yet.
      await neighbours.lookAround()
      await neighbours.settled()
    },
    tell(entityType, rows) {
      config.remote(entityType, rows, config.outbox.state.lanes)
      if (neighbours.isFollowed) wire.send({ is: 'remote', entityType, rows: [...rows] })
    },
  })
}
