import type { JournalStore } from '../storage/journalStore.ts'
import { readJournal, type ReadJournal } from '../storage/readJournal.ts'
import { leaderJournals, nextLeaderJournal } from './leaderJournals.ts'

export interface LeaderJournal extends ReadJournal {
  journal: string
}

/** The journal in force: the newest of a leader that says anything. */
export async function readLeader(store: JournalStore, space: string): Promise<LeaderJournal> {
  let empty: LeaderJournal | undefined
  for (const journal of leaderJournals(await store.list(space))) {
    const found = { journal, ...(await readJournal(store, space, journal)) }
    if (found.records.length > 0) return found
    empty ??= found
  }
  return empty ?? { journal: nextLeaderJournal(), records: [], broken: [] }
}
