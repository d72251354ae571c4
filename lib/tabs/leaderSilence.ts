import { defer, filter, interval, map, merge, type Observable, type SchedulerLike, ignoreElements, tap } from 'rxjs'
import type { TabMessage } from './tabMessage.ts'
import type { Wire } from './wire.ts'

/** Calls that a leader may leave unanswered. */
const calls = 2

/**
 * Emits when the leader has answered neither of two calls for `timeout` ms of this tab's own waking time: it is frozen,
 * or gone without a trace. A tab that was frozen itself calls again before it says so.
 */
export function leaderSilence(wire: Wire, timeout: number, scheduler: SchedulerLike): Observable<void> {
  return defer(() => {
    let unanswered = 0
    const signs$ = wire.messages$.pipe(
      filter(isLeaders),
      tap(() => (unanswered = 0)),
      ignoreElements(),
    )
    const ticks$ = interval(timeout / (calls + 1), scheduler).pipe(
      filter(() => {
        if (unanswered === calls) return true
        unanswered++
        wire.send({ is: 'rollCall' })
        return false
      }),
      map(() => undefined),
    )
    return merge(signs$, ticks$)
  })
}

function isLeaders({ is }: TabMessage): boolean {
  return is === 'leading' || is === 'stored' || is === 'done'
}
