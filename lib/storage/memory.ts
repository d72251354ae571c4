import type { JournalStore } from './journalStore.ts'

/**
 * Journals in memory, gone with the object. Give the same object to the next `createPersistence` to continue them.
 *
 * @example createPersistence({ strategies, options: { storage: memoryStore() } })
 */
export function memoryStore(): JournalStore {
  const spaces = new Map<string, Map<string, Uint8Array[]>>()

  const journalsOf = (space: string): Map<string, Uint8Array[]> => {
    const journals = spaces.get(space) ?? new Map<string, Uint8Array[]>()
    spaces.set(space, journals)
    return journals
  }

  return {
    kind: 'memory',
    durability: 'none',
    list: async (space) => [...journalsOf(space).keys()],
    read: async (space, journal) => (journalsOf(space).get(journal) ?? []).map((group) => group.slice()),
    append: async (space, journal, group) => {
      const groups = journalsOf(space).get(journal)
      if (groups) groups.push(group.slice())
      else journalsOf(space).set(journal, [group.slice()])
    },
    replace: async (space, journal, group) => {
      journalsOf(space).set(journal, [group.slice()])
    },
    remove: async (space, journal) => {
      journalsOf(space).delete(journal)
    },
    close: async () => {},
  }
}
