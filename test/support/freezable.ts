import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs'
import type { LockManagerLike, TabChannel } from '../../lib/api.ts'

interface Outside {
  scheduler: SchedulerLike
  locks: LockManagerLike
  channel: (name: string) => TabChannel | null
}

/** A tab's view of the outside that can be frozen: timers, messages and answers of the lock manager wait, in order. */
export function freezable({ scheduler, locks, channel }: Outside) {
  let isFrozen = false
  const waiting: (() => void)[] = []
  function whenThawed(happen: () => void): void {
    if (isFrozen) waiting.push(happen)
    else happen()
  }

  const ownScheduler: SchedulerLike = {
    now: () => scheduler.now(),
    schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T): Subscription {
      const cancelled = new Subscription()
      const inner = scheduler.schedule<T>(
        function (this: SchedulerAction<T>, now) {
          whenThawed(() => {
            if (!cancelled.closed) work.call(this, now)
          })
        },
        delay,
        state,
      )
      cancelled.add(inner)
      return cancelled
    },
  }

  return {
    freeze: () => void (isFrozen = true),
    thaw: () => {
      isFrozen = false
      for (const happen of waiting.splice(0)) happen()
    },
    options: {
      scheduler: ownScheduler,
      locks: {
        request: (name, options, callback) =>
          new Promise((done, refused) => {
            locks
              .request(
                name,
                options,
                (lock) => new Promise((held, broken) => whenThawed(() => void callback(lock).then(held, broken))),
              )
              .then(
                (result) => whenThawed(() => done(result)),
                (error: unknown) => whenThawed(() => refused(error)),
              )
          }),
      } satisfies LockManagerLike,
      channel(name: string) {
        const inner = channel(name)
        const outer: TabChannel = {
          onmessage: null,
          postMessage: (message) => inner?.postMessage(message),
          close: () => inner?.close(),
        }
        if (inner)
          inner.onmessage = (event) => whenThawed(() => outer.onmessage?.call(inner as BroadcastChannel, event))
        return outer
      },
    },
  }
}
