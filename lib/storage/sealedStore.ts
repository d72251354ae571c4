import type { Beside } from './beside.ts'
import type { JournalStore } from './journalStore.ts'
import type { Seal } from './seal.ts'

/** A store through which groups pass sealed. */
export interface SealedStore extends JournalStore {
  /** Whether a journal holds what was not sealed with the key that is written with now: then it should be written anew. */
  isOutdated: (journal: string) => boolean
}

/** The journals of one space, sealed in the store and plain on this side of it. */
export function sealedStore(store: JournalStore, { seal, unseal }: Seal): SealedStore {
  const outdated = new Set<string>()
  /** The key of the last group of each journal. */
  const keyIds = new Map<string, string>()

  return {
    kind: store.kind,
    durability: store.durability,
    list: (space) => store.list(space),
    async read(space, journal) {
      const { pieces, isCurrent } = await unseal(await store.read(space, journal), journal)
      if (isCurrent) outdated.delete(journal)
      else outdated.add(journal)
      return pieces
    },
    async append(space, journal, group) {
      const { bytes, keyId } = await seal(group, journal)
      if (keyId !== (keyIds.get(journal) ?? keyId)) outdated.add(journal)
      keyIds.set(journal, keyId)
      await store.append(space, journal, bytes)
    },
    async replace(space, journal, group) {
      const { bytes, keyId } = await seal(group, journal)
      await store.replace(space, journal, bytes)
      keyIds.set(journal, keyId)
      outdated.delete(journal)
    },
    remove: (space, journal) => store.remove(space, journal),
    close: store.close,
    isOutdated: (journal) => outdated.has(journal),
  }
}

/** What stands beside that store holds the same, and is sealed alike. */
export function sealedBeside(besideOf: (kind: string) => Beside, seal: Seal): (kind: string) => Beside {
  return (kind) => {
    const { mirror, former } = besideOf(kind)
    return { mirror: mirror && sealedStore(mirror, seal), former: former && sealedStore(former, seal) }
  }
}
