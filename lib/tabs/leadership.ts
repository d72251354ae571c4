import { Observable, of, Subscription } from 'rxjs'
import type { LockManagerLike } from '../api.ts'

/**
 * Says whether this instance leads: `true` once it holds the lock, `false` while another one does, also when that one
 * took it away. While it waits, each value of `silence$` makes it take the lock from whoever holds it. Unsubscribing
 * gives the lead up. Without Web Locks an instance is alone, and leads.
 */
export function leadership(
  locks: LockManagerLike | null,
  name: string,
  silence$: Observable<unknown>,
): Observable<boolean> {
  if (!locks) return of(true)
  return new Observable((subscriber) => {
    const ended = new AbortController()
    subscriber.add(() => ended.abort())

    /** Resolves when the lead is over, whoever ended it, or never began; `listening` ends when it begins. */
    async function lead(
      options: Parameters<LockManagerLike['request']>[1],
      listening = new Subscription(),
    ): Promise<void> {
      let began = false
      try {
        await locks?.request(name, options, async (lock) => {
          if (lock === null || subscriber.closed) return
          began = true
          listening.unsubscribe()
          subscriber.next(true)
          await new Promise<void>((release) => subscriber.add(release))
        })
      } catch (error) {
        // It was taken away, or this instance does not wait any longer.
        if (!began && !isAbort(error)) throw error
      }
    }

    /** Waits in line, or takes the lead as soon as its holder is silent for too long. */
    async function wait(): Promise<void> {
      const waiting = new AbortController()
      const listening = new Subscription()
      subscriber.add(listening)
      let stealing: Promise<unknown> | undefined
      listening.add(() => ended.signal.removeEventListener('abort', giveUp))
      function giveUp(): void {
        waiting.abort()
      }
      ended.signal.addEventListener('abort', giveUp)
      listening.add(
        silence$.subscribe(() => {
          listening.unsubscribe()
          stealing = lead({ steal: true })
          waiting.abort()
        }),
      )
      await lead({ signal: waiting.signal }, listening)
      await stealing
    }

    async function campaign(): Promise<void> {
      await lead({ ifAvailable: true })
      while (!subscriber.closed) {
        subscriber.next(false)
        await wait()
      }
    }

    campaign().catch((error: unknown) => {
      if (!subscriber.closed) subscriber.error(error)
    })
  })
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}
