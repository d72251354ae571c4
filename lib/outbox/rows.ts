import type { Ended } from '../storage/records.ts'
import type { Entry, Lane, Local, Row } from './lane.ts'

/** What a task was made on; `undefined` where nothing is known. */
export function madeOn({ on, lane: { known } }: Entry): Row | undefined {
  return on ?? known
}

/** What the remote holds, as far as it is known. */
export function remoteOf({ base, known }: Lane): Row | undefined {
  return base ?? known
}

/** The remote holds another row than the one that the task was made on. */
export function isStale(entry: Entry): boolean {
  const [on, remote] = [madeOn(entry), remoteOf(entry.lane)]
  return on !== remote && (on === undefined || remote === undefined || !isSameRow(on, remote))
}

/** The app's own state once this task is made. */
export function localOf({ local, data }: Entry): Local {
  return local ?? { data }
}

function isSameRow(a: Row, b: Row): boolean {
  return a.data === b.data && (isSameVersion(a, b) || a.version === b.version)
}

/** A header says as text what JSON says as a number. */
export function isSameVersion(a: Partial<Row>, b: Partial<Row>): boolean {
  return a.version !== undefined && b.version !== undefined && String(a.version) === String(b.version)
}

/** What the remote holds beyond what is known, once a task, which has left the queue, was persisted. */
export function baseAfter(entry: Entry, record: Ended): Row | undefined {
  const { on, local, lane } = entry
  const { base, queue } = lane
  const isAnswered = base !== undefined && on !== undefined && isSameRow(base, on)
  // Its own echo; or the row that it took in. With nothing else to go, the app is told of what the remote made of it.
  const isEcho = base !== undefined && isSameVersion(base, record) && queue.length > 0
  const isOver = base === undefined || isAnswered || isEcho || (entry.operation === 'delete' && base.data === undefined)
  if (!isOver) return base
  // The app shows something else, and has made its later changes on that.
  return local && { version: record.version, data: record.data ?? entry.data }
}
