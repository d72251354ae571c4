import type { SchedulerLike, Subscription } from 'rxjs'
import { longTimer } from '../operators/longTimer.ts'

/** The one timer of an outbox: rings at the earliest time that was asked for. */
export interface Alarm {
  /** Rings at `at` (epoch ms), or earlier when that was asked for before. */
  set: (at: number) => void
  close: () => void
}

/** `ring` is told what time it is at least: a clock that was set back meanwhile makes nobody wait again. */
export function createAlarm(scheduler: SchedulerLike, ring: (now: number) => void): Alarm {
  let pending: { at: number; timer: Subscription } | undefined

  function close(): void {
    pending?.timer.unsubscribe()
    pending = undefined
  }

  return {
    close,
    set(at) {
      if (at === Infinity || (pending && pending.at <= at)) return
      close()
      const timer = longTimer(Math.max(0, at - scheduler.now()), scheduler).subscribe(() => {
        pending = undefined
        ring(Math.max(at, scheduler.now()))
      })
      pending = { at, timer }
    },
  }
}
