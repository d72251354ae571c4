import type { JournalStore } from './journalStore.ts'

/** A store that is still being chosen: what it is asked waits until it is known. */
export function chosenStore(choosing: Promise<JournalStore>): JournalStore {
  return {
    kind: 'unknown',
    durability: 'none',
    list: async (...args) => (await choosing).list(...args),
    read: async (...args) => (await choosing).read(...args),
    append: async (...args) => (await choosing).append(...args),
    replace: async (...args) => (await choosing).replace(...args),
    remove: async (...args) => (await choosing).remove(...args),
    close: async (...args) => (await choosing).close(...args),
  }
}
