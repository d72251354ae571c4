import type { SchedulerLike, Subscription } from 'rxjs'

/**
 * One timer for any number of attempts that all have the same time. It is not cancelled when an attempt ends in time:
 * thousands do in a second, and a timer that finds nothing due costs less than theirs.
 */
export interface Deadlines {
  /** Calls `expire` after the time, unless the returned function is called before. */
  start: (expire: () => void) => () => void
  /** Cancels the timer. */
  close: () => void
}

export function createDeadlines(ms: number, scheduler: SchedulerLike): Deadlines {
  /** By when they were started, so the first is the next that is due. */
  const running = new Map<() => void, number>()
  let timer: Subscription | undefined

  function arm(at: number, now: number): void {
    // A clock that was set back must not make anybody wait for longer than the time.
    const delay = Math.min(Math.max(0, at - now), ms)
    timer?.unsubscribe()
    timer = scheduler.schedule(() => ring(Math.max(at, scheduler.now())), delay)
  }

  function ring(now: number): void {
    timer?.unsubscribe()
    timer = undefined
    for (const [expire, at] of running) {
      if (at > now) return arm(at, now)
      running.delete(expire)
      expire()
    }
  }

  return {
    start(expire) {
      const now = scheduler.now()
      running.set(expire, now + ms)
      if (!timer) arm(now + ms, now)
      return () => void running.delete(expire)
    },
    close() {
      timer?.unsubscribe()
      timer = undefined
    },
  }
}
