import type { LockManagerLike } from '../api.ts'
import type { JournalStore } from '../storage/journalStore.ts'
import { readJournal } from '../storage/readJournal.ts'
import { holdFreeLock } from './holdLock.ts'
import { leaderJournals, nextLeaderJournal } from './leaderJournals.ts'
import type { LeaderJournal } from './readLeader.ts'

export interface ClaimedJournal {
  /** What is in force. */
  found: LeaderJournal
  /** Where to write: there, or, where somebody writes who cannot be told to stop, in the next one. */
  name: string
  release: () => void
}

/** Takes the journal in force for oneself, and reads it: in this order, or its last writer might write behind the reader's back. */
export async function claimJournal(
  store: JournalStore,
  space: string,
  { locks, lockOf }: { locks: LockManagerLike | null; lockOf: (journal: string) => string },
): Promise<ClaimedJournal> {
  const journals = leaderJournals(await store.list(space))
  if (journals.length === 0) journals.push(nextLeaderJournal())
  for (const journal of journals) {
    const free = await holdFreeLock(locks, lockOf(journal))
    try {
      const found = { journal, ...(await readJournal(store, space, journal)) }
      // A newer one that says nothing was never in force.
      if (found.records.length > 0 || journal === journals.at(-1)) {
        if (free) return { found, name: journal, release: free }
        let name = nextLeaderJournal(journals[0])
        let release = await holdFreeLock(locks, lockOf(name))
        // Whoever was about to begin that one is frozen, too.
        while (!release) release = await holdFreeLock(locks, lockOf((name = nextLeaderJournal(name))))
        return { found, name, release }
      }
    } catch (error) {
      free?.()
      throw error
    }
    free?.()
  }
  throw new RangeError('Unreachable: the last journal is always claimed.')
}
