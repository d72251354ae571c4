import type { JournalRecord } from '../storage/records.ts'
import { knownOf, openedOf, recordsOf } from './snapshot.ts'
import { createState, type OutboxState, type StateConfig } from './state.ts'

export interface Adoption {
  /** Names the other journal, for good: nothing of it is taken twice. */
  from: string
  owner: string
  knows: StateConfig['knows']
  /** The other journal lags: what it does not call marked may have been sent since then (epoch ms). */
  doubtSince?: number
}

/** The fold of records, by itself. */
export function folded(records: Iterable<JournalRecord>, knows: StateConfig['knows']): OutboxState {
  const state = createState({ knows, touch: () => undefined })
  for (const record of records) state.apply(record)
  return state
}

/**
 * The records that bring what is alive in another journal into this one, behind all that is here: tasks with their marks,
 * retries, progress and deaths, what is known of entities, bases and checkpoints. Ids and keys stay; lsns are of this journal.
 * What is here already is not taken again: by task id, and, once `imported` says so, by lsn.
 */
export function adopt(
  records: readonly JournalRecord[],
  into: OutboxState,
  { from, owner, knows, doubtSince }: Adoption,
): JournalRecord[] {
  const other = folded(records, knows)
  const taken = into.imported.get(from) ?? 0
  if (other.lsn <= taken) return []
  const { epoch } = into
  let { lsn } = into
  const number = () => ({ lsn: ++lsn, epoch })
  const here = new Set(Array.from(into.tasks.values(), ({ id }) => id))

  const checkpoints = [...other.checkpoints].flatMap(([entityType, data]): JournalRecord[] =>
    into.checkpoints.has(entityType) ? [] : [{ kind: 'checkpoint', ...number(), entityType, data }],
  )
  const known = Array.from(other.lanes.values()).flatMap((lane) =>
    into.lanes.get(lane.key)?.known ? [] : Array.from(knownOf(lane, number())),
  )
  const tasks = Array.from(other.tasks.values())
    .filter((entry) => entry.lsn > taken && !here.has(entry.id))
    .sort((a, b) => a.place - b.place)
    .flatMap((entry) => {
      const { lsn: own } = number()
      // Taken in the order of their places, they need none of their own.
      return Array.from(recordsOf(entry, epoch, owner), (record): JournalRecord => {
        if (record.kind !== 'enqueued') return { ...record, lsn: own, task: own }
        const { place: _, ...rest } = record
        return { ...rest, lsn: own }
      })
    })
  const doubt = doubtSince === undefined ? into.doubt : { upTo: lsn, since: doubtSince }
  const imported = [...other.imported, [from, other.lsn] as const].flatMap(([writer, upTo]): JournalRecord[] =>
    upTo > (into.imported.get(writer) ?? 0) ? [{ kind: 'imported', ...number(), writer, upTo }] : [],
  )
  return [openedOf({ ...into, lsn, doubt }), ...checkpoints, ...known, ...tasks, ...imported]
}
