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

export interface ClaimConfig {
  locks: LockManagerLike | null
  lockOf: (journal: string) => string
  /** What this tab wrote as the leader it still is: a newer one is of somebody who lost the lead before it was there. */
  mine?: string | undefined
}

/** Takes the journal in force for oneself, and reads it: in this order, or its last writer might write behind the reader's back. */
export async function claimJournal(
  store: JournalStore,
  space: string,
  { locks, lockOf, mine }: ClaimConfig,
): Promise<ClaimedJournal> {
  const journals = leaderJournals(await store.list(space))
  const inForce = mine !== undefined && journals.includes(mine) ? [mine] : journals
  if (inForce.length === 0) inForce.push(nextLeaderJournal())
  for (const journal of inForce) {
    const free = await holdFreeLock(locks, lockOf(journal))
    try {
      const found = { journal, ...(await readJournal(store, space, journal)) }
      // A newer one that says nothing was never in force.
      if (found.records.length > 0 || journal === inForce.at(-1)) {
        if (free && (mine === undefined || journal === journals[0])) return { found, name: journal, release: free }
        free?.()
        return { found, ...(await begun(nextLeaderJournal(journals[0]), locks, lockOf)) }
      }
    } catch (error) {
      free?.()
      throw error
    }
    free?.()
  }
  throw new RangeError('Unreachable: the last journal is always claimed.')
}

/** The first from `name` on that nobody else is about to begin: who was may be frozen, too. */
async function begun(name: string, locks: ClaimConfig['locks'], lockOf: ClaimConfig['lockOf']) {
  for (let next = name; ; next = nextLeaderJournal(next)) {
    const release = await holdFreeLock(locks, lockOf(next))
    if (release) return { name: next, release }
  }
}
