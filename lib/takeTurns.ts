import { concatMap, defer, EMPTY, from, NEVER, type Observable, race, retry, type SchedulerLike } from 'rxjs'
import { ClosedError, LockedError } from './errors.ts'
import { longTimer } from './operators/longTimer.ts'
import { patiently } from './storage/patience.ts'

export interface TurnsConfig {
  /** Opens what this turn needs; rejects with a `ClosedError` where the turn was over before that. */
  enter: (leads: boolean) => Promise<void>
  /** It could not be opened, and is tried again. */
  failed: (error: unknown) => void
  /** It has not been opened for long. */
  late: (error: unknown) => void
  scheduler: SchedulerLike
}

/** One turn after the other. A journal that cannot be read is not an empty one: it is tried until it can be. */
export function takeTurns(leads$: Observable<boolean>, { enter, failed, late, scheduler }: TurnsConfig) {
  function again(error: unknown, tries: number): Observable<unknown> {
    if (error instanceof ClosedError) return EMPTY
    failed(error)
    const unlocked = error instanceof LockedError ? error.unlocked : undefined
    return race(longTimer(Math.min(60_000, 500 * 2 ** tries), scheduler), unlocked ?? NEVER)
  }
  return leads$.pipe(
    concatMap((leads) => defer(() => from(patiently(enter(leads), scheduler, late))).pipe(retry({ delay: again }))),
  )
}
