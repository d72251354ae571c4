import type { JournalRecord } from '../storage/records.ts'
import type { Entry } from './lane.ts'
import type { Fact, ToldEnd } from './facts.ts'
import { present } from './snapshot.ts'

/**
 * What a record of another tab's journal says happened; `undefined` where nobody has to know. `before` is the task
 * that it names, as it was before the record was applied, `after` the one that it left behind.
 */
export function retold(
  record: JournalRecord,
  before: { entry: Entry; wasDead: boolean } | undefined,
  after: Entry | undefined,
): Fact | undefined {
  if (record.kind === 'enqueued') return after && { entry: after, is: 'enqueued' }
  // Of a resolution it says how often the conflict was met: it was not attempted itself.
  if (record.kind === 'retry' && !record.asked && !before?.entry.mark) return undefined
  const end = endOf(record, after)
  if (!before || !end) return undefined
  const removed = before.wasDead ? ({ removed: true } as const) : {}
  return { entry: before.entry, is: 'ended', end, ...removed }
}

function endOf(record: JournalRecord, after: Entry | undefined): ToldEnd | undefined {
  if (record.kind === 'retry' && record.asked) return { status: 'conflict', error: record.error }
  if (record.kind === 'retry') return { status: 'retrying', error: record.error, retryAt: record.retryAt }
  if (record.kind === 'superseded') return after && { status: 'superseded', supersededBy: after.id }
  if (record.kind !== 'ended') return undefined
  const { outcome, error, by, at, backendId, version, unsent } = record
  switch (outcome) {
    case 'persisted':
      return { status: outcome, receipt: present({ backendId, version, syncedAt: at }), sent: !unsent }
    case 'superseded':
      return { status: outcome, supersededBy: by ?? '' }
    case 'failed':
    case 'expired':
      return { status: outcome, ...present({ error }) }
    case 'discarded':
      return { status: outcome }
  }
}
