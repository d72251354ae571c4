import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs'
import type { LockManagerLike, TabChannel } from '../../lib/api.ts'
import type { JournalStore } from '../../lib/storage/journalStore.ts'

interface Outside {
  scheduler: SchedulerLike
  locks: LockManagerLike
  channel: (name: string) => TabChannel | null
  storage: JournalStore
}

/**
 * A tab's view of the outside that can be frozen, as Chromium does it: timers and what the store and the lock manager
 * answer wait, in order; messages of other tabs come all the same.
 */
export function freezable({ scheduler, locks, channel, storage }: Outside) {
  let isFrozen = false
  const waiting: (() => void)[] = []
  function whenThawed(happen: () => void): void {
    if (isFrozen) waiting.push(happen)
    else happen()
  }

  function thawed<A extends unknown[], R>(call: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return (...args) =>
      new Promise((done, failed) => {
        whenThawed(() => {
          call(...args).then(
            (result) => whenThawed(() => done(result)),
            (error: unknown) => whenThawed(() => failed(error)),
          )
        })
      })
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
      channel,
      storage: {
        ...storage,
        list: thawed(storage.list),
        read: thawed(storage.read),
        append: thawed(storage.append),
        replace: thawed(storage.replace),
        remove: thawed(storage.remove),
      },
    },
  }
}
