import type { SchedulerLike, Subscription } from 'rxjs'
import { longTimer } from '../operators/longTimer.ts'

/** The one timer of an outbox: rings at the earliest time that was asked for. */
export interface Alarm {
  /** Rings at `at` (epoch ms), or earlier when that was asked for before. */
  set: (at: number) => void
  /** Never rings again. */
  close: () => void
}

/** `ring` is told what time it is at least: a clock that was set back meanwhile makes nobody wait again. */
export function createAlarm(scheduler: SchedulerLike, ring: (now: number) => void): Alarm {
  let pending: { at: number; timer: Subscription } | undefined

  let isClosed = false

  return {
    close() {
      isClosed = true
      pending?.timer.unsubscribe()
    },
    set(at) {
      if (isClosed || at === Infinity || (pending && pending.at <= at)) return
      pending?.timer.unsubscribe()
      const timer = longTimer(Math.max(0, at - scheduler.now()), scheduler).subscribe(() => {
        pending = undefined
        ring(Math.max(at, scheduler.now()))
      })
      pending = { at, timer }
    },
  }
}
