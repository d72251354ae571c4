import type { LockManagerLike } from '../../lib/api.ts'

interface Waiting {
  callback: (lock: unknown) => Promise<void>
  done: (result: unknown) => void
  refused: (error: unknown) => void
}

/** Web Locks within one process: exclusive, first come, first served. Two outboxes that share one are two tabs. */
export function fakeLocks(): LockManagerLike & { held: () => string[] } {
  const queues = new Map<string, Waiting[]>()

  async function grant(name: string, waiting: Waiting): Promise<void> {
    try {
      waiting.done(await waiting.callback({ name }))
    } catch (error) {
      waiting.refused(error)
    }
    const queue = queues.get(name) ?? []
    queue.shift()
    const [next] = queue
    if (next) void grant(name, next)
    else queues.delete(name)
  }

  return {
    held: () => [...queues.keys()],
    request: (name, { signal, ifAvailable = false }, callback) =>
      new Promise((done, refused) => {
        const queue = queues.get(name)
        if (signal?.aborted) return refused(signal.reason)
        if (queue && ifAvailable) return done(callback(null))
        const waiting: Waiting = { callback, done, refused }
        if (!queue) {
          queues.set(name, [waiting])
          return void Promise.resolve().then(() => grant(name, waiting))
        }
        queue.push(waiting)
        signal?.addEventListener('abort', () => {
          const at = queue.indexOf(waiting)
          // The first one holds the lock: it is released by its callback only.
          if (at < 1) return
          queue.splice(at, 1)
          refused(signal.reason)
        })
      }),
  }
}
