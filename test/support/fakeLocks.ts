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
    // A holder whose lock was stolen gives nothing back.
    if (queue[0] !== waiting) return
    queue.shift()
    const [next] = queue
    if (next) void grant(name, next)
    else queues.delete(name)
  }

  return {
    held: () => [...queues.keys()],
    request: (name, { signal, ifAvailable = false, steal = false }, callback) =>
      new Promise((done, refused) => {
        const queue = queues.get(name)
        if (signal?.aborted) return refused(signal.reason)
        if (queue && ifAvailable) return done(callback(null))
        const waiting: Waiting = { callback, done, refused }
        if (!queue || steal) {
          const [holder, ...others] = queue ?? []
          queues.set(name, [waiting, ...others])
          holder?.refused(new DOMException('Lock broken by another request with the "steal" option.', 'AbortError'))
          return void Promise.resolve().then(() => grant(name, waiting))
        }
        queue.push(waiting)
        signal?.addEventListener('abort', () => {
          const waitingNow = queues.get(name) ?? []
          const at = waitingNow.indexOf(waiting)
          // The first one holds the lock: it is released by its callback only.
          if (at < 1) return
          waitingNow.splice(at, 1)
          refused(signal.reason)
        })
      }),
  }
}
