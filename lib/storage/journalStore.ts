/**
 * Where journals live. A journal is bytes that only grow, group by group; what the groups are is written in the bytes
 * themselves (see frame.ts). `space` keeps the journals of one (name, owner) apart from all others; `journal` is a name
 * within it. Every rejection is an error of the store, never an empty answer.
 */
export interface JournalStore {
  /** Shown in `status$.storage.kind`. */
  readonly kind: string
  /** What a resolved `append` promises. */
  readonly durability: 'none' | 'relaxed' | 'strict'
  /** What a resolved `append` survives. @default by `durability`: nothing, a reload, a power loss */
  readonly survives?: 'nothing' | 'reload' | 'kill' | 'power loss'
  /** The journals that hold anything, in no order. */
  list: (space: string) => Promise<string[]>
  /**
   * The bytes of all groups, oldest first, in as many pieces as the store likes: only what they make together counts.
   * None for a journal that nobody wrote. While another one writes it, a beginning of it.
   */
  read: (space: string, journal: string) => Promise<Uint8Array[]>
  /** Adds a group, whole or not at all; resolves when it is stored. One writer a journal, one call at a time. */
  append: (space: string, journal: string, group: Uint8Array) => Promise<void>
  /** Puts one group in the place of all, in one atomic step: after a crash there are the old ones or the new one. */
  replace: (space: string, journal: string, group: Uint8Array) => Promise<void>
  remove: (space: string, journal: string) => Promise<void>
  /**
   * Lets go of what is held open, in one space or in all: others may write these journals now. The journals stay, and
   * the store opens them again when it is asked to.
   */
  close: (space?: string) => Promise<void>
}
