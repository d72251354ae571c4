const first = 'leader'

/** Leaders' journals among all, the newest first: `leader.3`, `leader.2`, `leader`. */
export function leaderJournals(journals: readonly string[]): string[] {
  return journals.filter(isLeaders).sort((a, b) => numberOf(b) - numberOf(a))
}

/** Where to go on whose writer cannot be told to stop; after none, the first one. */
export function nextLeaderJournal(journal?: string): string {
  return journal === undefined ? first : `${first}.${numberOf(journal) + 1}`
}

export const isLeaders = (journal: string): boolean => numberOf(journal) > 0

function numberOf(journal: string): number {
  if (journal === first) return 1
  const [, number = '0'] = /^leader\.([1-9]\d*)$/.exec(journal) ?? []
  return Number(number)
}
