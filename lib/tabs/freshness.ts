import type { SchedulerLike } from 'rxjs'
import type { LockManagerLike } from '../api.ts'

export interface FreshnessConfig {
  locks: LockManagerLike | null
  /** A lock that nobody else asks for. */
  lock: string
  /** Milliseconds after which another tab may have taken the lead. */
  timeout: number
  scheduler: SchedulerLike
  /** It is known again who leads. */
  known: () => void
}

/** A leader that was frozen for as long as others wait does not know whether it still leads. */
export interface Freshness {
  /** Whether it knows; if not, it asks, and `known` is called when all that happened meanwhile has been heard. */
  isFresh: () => boolean
  /** Resolves at once, but not while the page is frozen: messages of other tabs it hears even then. */
  awake: () => Promise<void>
  /** It has just taken the lead. */
  begin: () => void
  /** It runs; after too long a pause that proves nothing. */
  beat: () => void
}

export function createFreshness({ locks, lock, timeout, scheduler, known }: FreshnessConfig): Freshness {
  let last = scheduler.now()
  let isAsking = false

  async function awake(): Promise<void> {
    await locks?.request(lock, {}, () => Promise.resolve())
  }

  function isFresh(): boolean {
    if (!locks || scheduler.now() - last < timeout) return true
    if (!isAsking) {
      isAsking = true
      // What the lock manager said before, that the lead was taken, comes before this answer.
      awake()
        .then(() => (last = scheduler.now()))
        .finally(() => {
          isAsking = false
          known()
        })
        .catch(() => undefined)
    }
    return false
  }

  return {
    isFresh,
    awake,
    begin: () => void (last = scheduler.now()),
    beat() {
      if (isFresh()) last = scheduler.now()
    },
  }
}
