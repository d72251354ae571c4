import type { Entry, Lane } from './lane.ts'
import type { Relations } from './relations.ts'

/** Behind a dead create its followers are parked, and behind a parked create theirs. */
export interface Parking {
  park: (entry: Entry, cause: Entry) => void
  /** What was parked behind `before` because of `cause` waits again, or behind another dead create. */
  unpark: (before: Entry, cause: Entry) => void
}

export interface ParkingConfig {
  relations: Pick<Relations, 'followers' | 'deadCreateBefore'>
  become: (entry: Entry, state: Entry['state']) => void
  touch: (lane: Lane) => void
}

export function createParking({ relations, become, touch }: ParkingConfig): Parking {
  const { followers, deadCreateBefore } = relations

  function park(entry: Entry, cause: Entry): void {
    if (entry.state !== 'waiting') return
    become(entry, 'parked')
    entry.blockedBy = cause
    touch(entry.lane)
    // What is never created cannot be changed, nor be depended on.
    if (entry.operation === 'create') for (const follower of followers(entry)) park(follower, cause)
  }

  function unpark(before: Entry, cause: Entry): void {
    for (const follower of followers(before)) {
      if (follower.blockedBy !== cause) continue
      become(follower, 'waiting')
      follower.blockedBy = undefined
      unpark(follower, cause)
      const other = deadCreateBefore(follower)
      if (other) park(follower, other)
      touch(follower.lane)
    }
  }

  return { park, unpark }
}
