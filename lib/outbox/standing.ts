import { type Entry, type Lane, laneKey } from './lane.ts'
import { waitsFor } from './relations.ts'
import type { Schedule } from './schedule.ts'

export interface StandingConfig {
  lanes: ReadonlyMap<string, Lane>
  schedule: Schedule<Lane>
  now: () => number
  quiet: number
  longestWait: (entry: Entry) => number
  /** A lane may have moved in the schedule. */
  touch: (lane: Lane) => void
}

/** Where lanes stand in the schedule. */
export interface Standing {
  refresh: (lane: Lane) => void
  /** Keeps a lane out of it until it is let go. */
  hold: (lane: Lane) => void
  letGo: (lane: Lane) => void
  lanesOf: (dependsOn: Entry['dependsOn']) => Lane[]
}

export function createStanding({ lanes, schedule, now, quiet, longestWait, touch }: StandingConfig): Standing {
  const held = new Set<Lane>()

  /** Nowhere while it is empty, in flight, parked, blocked or held. */
  function refresh(lane: Lane): void {
    const head = lane.queue[0]
    const rank = rankOf(lane)
    if (rank !== lane.rank) {
      // A dependency inherits the priority of who waits for it.
      for (const { dependsOn } of lane.queue) {
        for (const on of lanesOf(dependsOn)) if (rank > on.rank || lane.rank === on.rank) touch(on)
      }
      lane.rank = rank
    }
    if (head?.state !== 'waiting' || held.has(lane) || isBlocked(head)) {
      schedule.delete(lane)
      return
    }
    lane.age = head.place
    lane.dueAt = dueAt(head)
    schedule.set(lane, now())
  }

  function isBlocked(head: Entry): boolean {
    return lanesOf(head.dependsOn).some((on) => on !== head.lane && waitsFor(head, on))
  }

  function rankOf(lane: Lane): number {
    let rank = -Infinity
    for (const { priority } of lane.queue) if (priority > rank) rank = priority
    for (const waiter of lane.waiters ?? []) {
      // Behind a dead letter alone nobody waits.
      if (waiter.lane.rank > rank && (!lane.dead || waitsFor(waiter, lane))) rank = waiter.lane.rank
    }
    return rank
  }

  function dueAt(head: Entry): number {
    const retryAt = head.retryAt === 0 ? 0 : Math.min(head.retryAt, now() + longestWait(head))
    if (quiet === 0 || head.mark) return retryAt
    return Math.max(retryAt, Math.min(head.lane.lastAt, now()) + quiet)
  }

  function lanesOf(dependsOn: Entry['dependsOn']): Lane[] {
    return (dependsOn ?? []).flatMap((ref) => lanes.get(laneKey(ref.entityType, ref.id)) ?? [])
  }

  return {
    refresh,
    lanesOf,
    hold(lane) {
      held.add(lane)
      schedule.delete(lane)
    },
    letGo(lane) {
      if (held.delete(lane)) touch(lane)
    },
  }
}
