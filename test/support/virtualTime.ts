import { setImmediate } from 'node:timers/promises'
import { VirtualTimeScheduler } from 'rxjs'

/** A clock that only moves when it is told: for the option `scheduler`. Nothing of the real timers is touched. */
export interface VirtualTime {
  /** Its `now()` is epoch milliseconds. */
  scheduler: VirtualTimeScheduler
  now: () => number
  /** Lets everything happen that needs no time: promises, and what they set off. */
  settle: () => Promise<unknown>
  /** Lets `ms` pass; everything that is due meanwhile happens at its own time, in order. */
  pass: (ms: number) => Promise<void>
  /** Lets time pass until `done` says so, timer by timer; throws where nothing is left that could happen. */
  passUntil: (done: () => boolean) => Promise<void>
  /** Resolves with what `promise` does, letting time pass as long as it takes. */
  until: <T>(promise: Promise<T>) => Promise<T>
  /** Timers that wait. */
  readonly timers: number
  /** Forgets all timers, as when a process is killed. */
  kill: () => void
}

/**
 * A whole day in a moment.
 *
 * @example
 * const time = virtualTime()
 * const persistence = createPersistence({ strategies, options: { scheduler: time.scheduler, storage: memoryStore() } })
 * await time.pass(24 * 3_600_000)
 */
export function virtualTime(start = Date.UTC(2025, 0, 6)): VirtualTime {
  const scheduler = new VirtualTimeScheduler()
  scheduler.frame = start

  /** One macrotask: all microtasks run before it, and those they start. */
  const settle = () => setImmediate(undefined)

  /** Runs what is due at the earliest time, not later than `limit`. */
  async function step(limit: number): Promise<boolean> {
    const next = scheduler.actions[0]?.delay
    if (next === undefined || next > limit) return false
    scheduler.maxFrames = Math.max(next, scheduler.frame)
    scheduler.flush()
    await settle()
    return true
  }

  async function passUntil(done: () => boolean): Promise<void> {
    await settle()
    while (!done()) if (!(await step(Infinity))) throw new RangeError('Nothing is left that could happen.')
  }

  return {
    scheduler,
    now: () => scheduler.frame,
    settle,
    async pass(ms) {
      const end = scheduler.frame + ms
      await settle()
      while (await step(end));
      scheduler.frame = end
    },
    passUntil,
    async until(promise) {
      let settled = false
      const settling = promise.finally(() => (settled = true))
      settling.catch(() => undefined)
      await passUntil(() => settled)
      return settling
    },
    get timers() {
      return scheduler.actions.length
    },
    kill() {
      for (const action of scheduler.actions.splice(0)) action.unsubscribe()
    },
  }
}
