import type { Lane } from '../outbox/lane.ts'
import { isSameVersion } from '../outbox/rows.ts'
import type { Row } from './readRow.ts'

/**
 * What becomes of a row: `apply` gives it to the app; `base` keeps it for the tasks that wait; `same` is no news;
 * `owed` may be older than what was written meanwhile, so it has to be asked for again.
 */
export type Place = 'apply' | 'base' | 'same' | 'owed'

export interface Around {
  /** The entity has events that are not in its lane yet. */
  isUnstored: boolean
  /** A task of the lane was in flight, or another row was taken over, since the row may have been read. */
  isMoved: boolean
}

export function placeOf(row: Row, lane: Lane | undefined, { isUnstored, isMoved }: Around): Place {
  const isBase = isSameVersion(row, lane?.base ?? {})
  const isKnown = isBase || isSameVersion(row, lane?.known ?? {})
  const isBusy = isUnstored || (lane !== undefined && isInUse(lane))
  // A base ends with the task that is being sent: where the two merge, the app would never see that row.
  if (isBusy && isKnown && !(isBase && isUnclear(lane))) return 'same'
  if (isUnclear(lane) || (isMoved && !isKnown)) return 'owed'
  return isBusy ? 'base' : 'apply'
}

/** Something of it waits, or waits for a decision. */
export function isInUse({ queue, dead }: Lane): boolean {
  return queue.length > 0 || dead !== undefined
}

/** What it writes may be applied at any moment, or is already; that of a dead letter lies as it is until somebody decides. */
export function isUnclear(lane: Lane | undefined): boolean {
  return isSent(lane) || (lane?.dead ?? []).some(({ inDoubt }) => inDoubt)
}

/** The same, but it goes on by itself. */
export function isSent(lane: Lane | undefined): boolean {
  const head = lane?.queue[0]
  return head !== undefined && (head.state === 'sending' || head.inDoubt)
}
