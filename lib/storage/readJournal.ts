import { LockedError, StorageError } from '../errors.ts'
import { decodeRecord } from './codec.ts'
import { decodeGroups } from './frame.ts'
import type { JournalStore } from './journalStore.ts'
import type { JournalRecord } from './records.ts'

/** The journal that keeps what could not be read, for whoever wants to look at it. */
export const quarantine = 'quarantine'

export interface ReadJournal {
  records: JournalRecord[]
  /** Bytes that mean nothing. */
  broken: Uint8Array[]
}

/**
 * What a journal holds. A line that is damaged, or no record, is put aside; its neighbours are kept.
 *
 * @throws StorageError when the journal cannot be read, or is of a newer version: then its bytes stay as they are
 * @throws LockedError when a key is missing
 */
export async function readJournal(store: JournalStore, space: string, journal: string): Promise<ReadJournal> {
  const { lines, broken, newer, sealed } = decodeGroups(await store.read(space, journal))
  if (newer) throw new StorageError('The journal was written by a newer version of rx-outbox. Load that version.')
  if (sealed) throw new LockedError('The journal is locked: it is encrypted, and there is no option encryption.')
  const records: JournalRecord[] = []
  for (const line of lines) {
    const record = decodeRecord(line)
    if (record) records.push(record)
    else broken.push(new TextEncoder().encode(line))
  }
  return { records, broken }
}
