import { joined } from '../storage/joined.ts'
import type { JournalStore } from '../storage/journalStore.ts'

export interface JournalStoreFixture {
  store: JournalStore
  /** Closes the store and opens another one on what it left behind. */
  reopen: () => Promise<JournalStore>
  /** Opens another one on the same place while `store` stays open, as another tab does. */
  beside: () => Promise<JournalStore>
}

export interface JournalStoreRule {
  name: string
  /** Rejects where the rule does not hold. `make` gives an empty store. */
  check: (make: () => Promise<JournalStoreFixture>) => Promise<void>
}

export function rule(name: string, check: (fixture: JournalStoreFixture) => Promise<void>): JournalStoreRule {
  return { name, check: async (make) => check(await make()) }
}

export async function appendAll(store: JournalStore, space: string, journal: string, groups: string[]): Promise<void> {
  for (const group of groups) await store.append(space, journal, bytesOf(group))
}

export async function holds(store: JournalStore, space: string, journal: string, groups: string[]): Promise<void> {
  same(textOf(await store.read(space, journal)), groups.join(''))
}

export function same(found: unknown, expected: unknown): void {
  const [got, wanted] = [JSON.stringify(found), JSON.stringify(expected)]
  if (got !== wanted) throw new Error(`Found ${shortened(got)}, expected ${shortened(wanted)}`)
}

const shortened = (text = 'nothing'): string => (text.length > 500 ? `${text.slice(0, 500)}…` : text)

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

export const textOf = (pieces: Uint8Array[]): string => new TextDecoder().decode(joined(pieces))
