import type { JournalRecord } from './records.ts'

/** Which journal records are of; `undefined` for one of a version that gave them no ids, and without its beginning. */
export function idOf(records: readonly JournalRecord[]): string | undefined {
  for (const record of records) if (record.kind === 'opened' && record.id !== undefined) return record.id
  return undefined
}
