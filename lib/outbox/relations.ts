import type { EntityRef } from '../types.ts'
import { type Entry, type Lane, laneKey } from './lane.ts'

/** Who waits for whom: later tasks for earlier ones of their lane, and dependants for their dependencies. */
export interface Relations {
  /** Later tasks of its lane, and tasks of other lanes that depend on it. */
  followers: (entry: Entry) => Entry[]
  /** The dead create behind which a task is parked, also by way of a create that is parked itself. */
  deadCreateBefore: (entry: Entry) => Entry | undefined
  /** The task waits for its dependencies from now on, also for those that are retried later. */
  awaitDependencies: (entry: Entry) => void
  /** It does not any longer. */
  forsake: (entry: Entry) => void
}

export function createRelations(lanes: Map<string, Lane>, touch: (lane: Lane) => void): Relations {
  function dependencies(entry: Entry): Lane[] {
    return (entry.dependsOn ?? []).flatMap((ref) => dependency(ref, entry) ?? [])
  }

  function dependency(ref: EntityRef, entry: Entry): Lane | undefined {
    const found = lanes.get(laneKey(ref.entityType, ref.id))
    return found === entry.lane ? undefined : found
  }

  return {
    followers(entry) {
      const isLater = ({ place }: Entry) => place > entry.place
      return [...entry.lane.queue.filter(isLater), ...[...(entry.lane.waiters ?? [])].filter(isLater)]
    },
    deadCreateBefore(entry) {
      const isCreateBefore = ({ operation, place }: Entry) => operation === 'create' && place < entry.place
      for (const { dead, queue } of [entry.lane, ...dependencies(entry)]) {
        const cause =
          dead?.find(isCreateBefore) ?? queue.find((task) => task.blockedBy && isCreateBefore(task))?.blockedBy
        if (cause) return cause
      }
      return undefined
    },
    awaitDependencies(entry) {
      for (const on of dependencies(entry)) {
        if (!mayWaitFor(entry, on)) continue
        ;(on.waiters ??= new Set()).add(entry)
        if (entry.lane.rank > on.rank) touch(on)
      }
    },
    forsake(entry) {
      for (const on of dependencies(entry)) {
        // It was perhaps why the other lane was in a hurry.
        if (on.waiters?.delete(entry) && on.rank === entry.lane.rank) touch(on)
      }
    },
  }
}

/** Whether there is anything before it in another lane that is there still, or may come back by a retry. */
export function mayWaitFor(entry: Entry, on: Lane): boolean {
  const before = ({ place }: Entry) => place < entry.place
  return on.queue.some(before) || (on.dead?.some(before) ?? false)
}

/** Whether a task has to wait for tasks of another lane, or is parked behind one: those that were here before it. */
export function waitsFor(entry: Entry, on: Lane): boolean {
  const before = ({ place }: Entry) => place < entry.place
  return on.queue.some(before) || (on.dead?.some((dead) => dead.operation === 'create' && before(dead)) ?? false)
}

/** What either of two tasks that became one depended on. */
export function allRefs(older: EntityRef[] | undefined, newer: EntityRef[] | undefined): EntityRef[] | undefined {
  if (!older || !newer) return older ?? newer
  const isNew = ({ entityType, id }: EntityRef) => !older.some((ref) => ref.entityType === entityType && ref.id === id)
  return [...older, ...newer.filter(isNew)]
}
