import {
  asapScheduler,
  auditTime,
  concat,
  defer,
  distinctUntilChanged,
  filter,
  map,
  type Observable,
  of,
  type SchedulerLike,
  takeUntil,
} from 'rxjs'
import { deliveryOrder } from './outbox/deliveryOrder.ts'
import { type Lane, laneKey } from './outbox/lane.ts'
import type { Session } from './session.ts'
import { sameStatus } from './status.ts'
import { sameMetadata, type Views } from './sync/metadata.ts'
import type { Conflict } from './conflict.ts'
import type { OutboxStatus, PersistenceMetadata, PersistenceTask } from './types.ts'

export interface StreamsConfig {
  /** Something changed: a lane, or anything (`undefined`). */
  changed$: Observable<Lane | undefined>
  /** Emits when the library has closed. */
  closed$: Observable<unknown>
  session: () => Session | undefined
  views: () => Views
  status: () => OutboxStatus
  scheduler: SchedulerLike
}

/** The state streams: each replays what is, and costs nothing while nobody looks. */
export interface Streams {
  status$: Observable<OutboxStatus>
  queue$: Observable<readonly PersistenceTask[]>
  dead$: Observable<readonly PersistenceTask[]>
  conflicts$: Observable<readonly Conflict[]>
  metadata$: (entityType: string, id: string) => Observable<PersistenceMetadata | undefined>
}

export function createStreams({ changed$, closed$, session, views, status, scheduler }: StreamsConfig): Streams {
  /** What `read` says now, after each change, and at the end. */
  function live<T>(read: () => T, change$: Observable<unknown>): Observable<T> {
    return defer(() => concat(of(undefined), change$.pipe(takeUntil(closed$)), of(undefined)).pipe(map(read)))
  }
  const tasks = (entries: Iterable<Parameters<Views['task']>[0]>) => Object.freeze(Array.from(entries, views().task))

  return {
    status$: live(status, changed$.pipe(auditTime(0, asapScheduler))).pipe(distinctUntilChanged(sameStatus)),
    queue$: live(
      () => {
        const state = session()?.stage?.outbox.state
        return tasks(state ? deliveryOrder(state) : [])
      },
      changed$.pipe(auditTime(16, scheduler)),
    ),
    dead$: live(
      () => [...(session()?.stage?.outbox.state.dead ?? [])],
      changed$.pipe(auditTime(0, asapScheduler)),
    ).pipe(
      distinctUntilChanged((a, b) => a.length === b.length && a.every((entry, i) => entry === b[i])),
      map(tasks),
    ),
    conflicts$: live(
      () => Array.from(session()?.stage?.outbox.state.asked ?? [], (entry) => ({ entry, base: entry.lane.base })),
      changed$.pipe(auditTime(0, asapScheduler)),
    ).pipe(
      distinctUntilChanged(
        (a, b) =>
          a.length === b.length && a.every(({ entry, base }, i) => entry === b[i]?.entry && base === b[i]?.base),
      ),
      map((open) => Object.freeze(open.map(({ entry }) => views().conflict(entry)))),
    ),
    metadata$(entityType, id) {
      const key = laneKey(entityType, id)
      const own$ = changed$.pipe(filter((lane) => lane === undefined || lane.key === key))
      return live(() => {
        const lane = session()?.stage?.outbox.state.lanes.get(key)
        return lane && views().metadata(lane)
      }, own$).pipe(distinctUntilChanged(sameMetadata))
    },
  }
}
