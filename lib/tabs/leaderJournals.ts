const first = 'leader'

/** Leaders' journals among all, the newest first: `leader.3`, `leader.2`, `leader`. */
export function leaderJournals(journals: readonly string[]): string[] {
  return journals.filter((journal) => numberOf(journal) > 0).sort((a, b) => numberOf(b) - numberOf(a))
}

/** Those of leaders before the one who writes `own`, the oldest first. A newer one is of whoever replaced it meanwhile. */
export function formerLeaderJournals(journals: readonly string[], own: string): string[] {
  return leaderJournals(journals)
    .filter((journal) => numberOf(journal) < numberOf(own))
    .reverse()
}

/** Where to go on whose writer cannot be told to stop; after none, the first one. */
export function nextLeaderJournal(journal?: string): string {
  return journal === undefined ? first : `${first}.${numberOf(journal) + 1}`
}

function numberOf(journal: string): number {
  if (journal === first) return 1
  const [, number = '0'] = /^leader\.([1-9]\d*)$/.exec(journal) ?? []
  return Number(number)
}
