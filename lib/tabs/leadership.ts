import { Observable, of } from 'rxjs'
import type { LockManagerLike } from '../api.ts'

/**
 * Says whether this instance leads: `true` once it holds the lock, `false` before that while another one does.
 * Unsubscribing gives the lead up. Without Web Locks an instance is alone, and leads.
 */
export function leadership(locks: LockManagerLike | null, name: string): Observable<boolean> {
  if (!locks) return of(true)
  return new Observable((subscriber) => {
    const controller = new AbortController()
    const held = new Promise<void>((release) => subscriber.add(release))
    subscriber.add(() => controller.abort())

    async function hold(): Promise<void> {
      if (subscriber.closed) return
      subscriber.next(true)
      await held
    }

    async function campaign(manager: LockManagerLike): Promise<void> {
      let taken = false
      await manager.request(name, { ifAvailable: true }, async (lock) => {
        taken = lock === null
        if (!taken) await hold()
      })
      if (!taken || subscriber.closed) return
      subscriber.next(false)
      await manager.request(name, { signal: controller.signal }, hold)
    }

    campaign(locks).catch((error: unknown) => {
      // Giving up while waiting is no error.
      if (!subscriber.closed) subscriber.error(error)
    })
  })
}
