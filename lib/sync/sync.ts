import { interval, Observable, Subscription, throttleTime } from 'rxjs'
import type { Deadlines } from '../delivery/deadlines.ts'
import type { Settings } from '../options.ts'
import type { Entry, Lane } from '../outbox/lane.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { Journal } from '../storage/journal.ts'
import { createLive, type Live } from './live.ts'
import { createPuller, type Puller } from './puller.ts'
import { type ReadRow, readRow, type Row } from './readRow.ts'

export interface SyncConfig {
  settings: Settings
  owner: string
  outbox: Outbox
  journal: Pick<Journal, 'write'>
  deadlines: Deadlines
  /** Somebody looks at a tab of the app again. */
  focus$: Observable<unknown>
  isOnline: () => boolean
  mayGo: () => boolean
  isAuthorized: (entityType: string) => boolean
  authRequired: (entityType: string) => void
  whenLeading: (act: () => void) => void
  lookAround: () => Promise<void>
  unstored: () => ReadonlySet<string>
  /** What waits may be able to go: what the remote holds has changed. */
  goOn: () => void
  tell: (entityType: string, rows: readonly Row[]) => void
  trouble: (error: unknown) => void
}

/** Brings in what others changed, of all entity types that can be asked. */
export interface Sync {
  /** Works while subscribed; unsubscribing aborts what is asked. */
  run$: Observable<never>
  pull: (entityType?: string) => Promise<void>
  /** What gates it may have changed. */
  wake: () => void
  /** A task is in flight. */
  began: (entry: Entry) => void
  changed: (lane: Lane) => void
}

/** Milliseconds in which being looked at counts once. */
const glance = 5_000

export function createSync(config: SyncConfig): Sync {
  const { settings, deadlines } = config
  const { onStart, onReconnect, onFocus, interval: every, live: isLive } = settings.pull
  const pullers = new Map<string, Puller>()
  const lives: Live[] = []
  let wasOnline = false

  for (const entityType of settings.entityTypes) {
    const strategy = settings.strategyOf(entityType)
    if (!strategy) continue
    const read: ReadRow = (given, name) => readRow(given, name, settings.schemaOf(entityType))
    const own = {
      ...config,
      ...settings,
      entityType,
      strategy,
      read,
      limit: settings.pull.limit,
      apply: settings.applyOf(entityType),
      isAuthorized: () => config.isAuthorized(entityType),
      authRequired: () => config.authRequired(entityType),
      tell: (rows: readonly Row[]) => config.tell(entityType, rows),
    }
    const puller = createPuller(own)
    pullers.set(entityType, puller)
    if (!isLive || !strategy.changes$) continue
    lives.push(
      createLive({
        ...own,
        incoming: puller.incoming,
        hint: () => puller.want(),
        began() {
          puller.live()
          puller.want()
        },
      }),
    )
  }

  const wantAll = (hurry = false) => pullers.forEach((puller) => puller.want(hurry))

  function wake(): void {
    const isOnline = config.isOnline()
    if (isOnline && !wasOnline && onReconnect) wantAll(true)
    wasOnline = isOnline
    for (const live of lives) live.wake()
    for (const puller of pullers.values()) puller.wake()
  }

  return {
    run$: new Observable(() => {
      const { scheduler } = settings
      wasOnline = config.isOnline()
      if (onStart) wantAll()
      // What is listened to is followed by a pull: the first one will do.
      for (const live of lives) live.begin()
      for (const puller of pullers.values()) puller.begin()
      const running = new Subscription()
      if ([...pullers.values()].some(({ hasPull }) => hasPull)) {
        if (every !== false) running.add(interval(every, scheduler).subscribe(() => wantAll()))
        if (onFocus) running.add(config.focus$.pipe(throttleTime(glance, scheduler)).subscribe(() => wantAll()))
      }
      running.add(() => {
        for (const live of lives) live.end()
        for (const puller of pullers.values()) puller.end()
        deadlines.close()
      })
      return running
    }),
    async pull(entityType) {
      if (entityType !== undefined && !settings.entityTypes.includes(entityType))
        throw new TypeError(`pull: there is no strategy for ${entityType}.`)
      const wanted = [...pullers].filter(([type]) => entityType === undefined || type === entityType)
      const ends = await Promise.allSettled(wanted.map(([, puller]) => puller.pull()))
      for (const end of ends) if (end.status === 'rejected') throw end.reason
    },
    wake,
    began: ({ lane }) => pullers.get(lane.entityType)?.began(lane),
    changed: (lane) => pullers.get(lane.entityType)?.changed(lane),
  }
}
