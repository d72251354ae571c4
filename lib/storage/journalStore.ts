/**
 * Where journals live. A journal is a list of groups of bytes that only grows; a group is stored as a whole or not at
 * all. `space` keeps the journals of one (name, owner) apart from all others; `journal` is a name within it.
 * Every rejection is an error of the store, never an empty answer.
 */
export interface JournalStore {
  /** Shown in `status$.storage.kind`. */
  readonly kind: string
  /** What a resolved `append` promises. */
  readonly durability: 'none' | 'relaxed' | 'strict'
  /** The journals that hold anything, in no order. */
  list: (space: string) => Promise<string[]>
  /** All groups, oldest first; none for a journal that nobody wrote. */
  read: (space: string, journal: string) => Promise<Uint8Array[]>
  /** Adds a group behind all others; resolves when it is stored. One writer a journal, one call at a time. */
  append: (space: string, journal: string, group: Uint8Array) => Promise<void>
  /** Puts one group in the place of all others, in one atomic step: after a crash there are the old ones or the new one. */
  replace: (space: string, journal: string, group: Uint8Array) => Promise<void>
  remove: (space: string, journal: string) => Promise<void>
  /** Lets go of what is held open; the journals stay. */
  close: () => Promise<void>
}
