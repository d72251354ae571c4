import type { Ended } from '../storage/records.ts'
import type { Entry, Lane, Local, MadeOn, Row } from './lane.ts'

/** Types of which a row of the remote is no conflict: it merges. */
export type Merges = (entityType: string) => boolean

/** What a task was made on; `undefined` where nothing is known. */
export function madeOn({ on, lane: { known } }: Entry): MadeOn | undefined {
  return on ?? known
}

/** What both sides agreed on last, as text. A deletion is no agreement while somebody holds on to the entity. */
export function agreedOn(entry: Entry): string | undefined {
  const on = madeOn(entry)
  return on?.data ?? on?.was
}

/** What the remote holds, as far as it is known. */
export function remoteOf({ base, known }: Lane): Row | undefined {
  return base ?? known
}

/** The remote holds another row than the one that the task was made on, and does not merge the two. */
export function isStale(entry: Entry, merges: Merges): boolean {
  if (merges(entry.lane.entityType)) return false
  const [on, remote] = [madeOn(entry), remoteOf(entry.lane)]
  // What is made anew wants nothing to be there; a deletion may be the app's own.
  const isNew = entry.operation === 'create' && !on && entry.error?.category !== 'conflict'
  if (isNew && remote?.data === undefined) return false
  return on !== remote && (on === undefined || remote === undefined || !isSameRow(on, remote))
}

/** It is not to go as it is: made on another row, and not frozen yet, or refused for that. */
export function isInConflict(entry: Entry, merges: Merges): boolean {
  return (!entry.mark || entry.error?.category === 'conflict') && isStale(entry, merges)
}

/** The app's own state once this task is made. */
export function localOf({ local, data }: Entry): Local {
  return local ?? { data }
}

export function isSameRow(a: Row, b: Row): boolean {
  return a.data === b.data && (isSameVersion(a, b) || a.version === b.version)
}

/** A header says as text what JSON says as a number. */
export function isSameVersion(a: Partial<Row>, b: Partial<Row>): boolean {
  return a.version !== undefined && b.version !== undefined && String(a.version) === String(b.version)
}

/** What the remote holds beyond what is known, once a task, which has left the queue, was persisted. */
export function baseAfter({ local, data, lane: { base } }: Entry, record: Ended): Row | undefined {
  // A create and a delete met: whatever the remote holds, it holds still.
  if (record.unsent && base && !isSameVersion(base, record)) return base
  // The row came while nothing of the lane was in flight, so this write is newer. Where the app shows something else, it
  // has to be told, and has made its later changes on what it shows.
  return local && { version: record.version, data: record.data ?? data }
}
