import { joined } from './joined.ts'
import type { JournalStore } from './journalStore.ts'

/** The journal that keeps what could not be read, for whoever wants to look at it. */
export const quarantine = 'quarantine'

const newline = Uint8Array.of(10)

/** Keeps bytes aside, each on lines of their own. */
export async function putAside(store: JournalStore, space: string, broken: readonly Uint8Array[]): Promise<void> {
  for (const bytes of broken) await store.append(space, quarantine, joined([newline, bytes]))
}
