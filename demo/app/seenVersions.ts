import type { AttemptContext } from 'rx-outbox'
import localforage from 'localforage'

const remembered = 'demo-versions'
const store = localforage.createInstance({ name: 'demo', storeName: remembered })

/**
 * Versions that came with rows of the server, by id. The outbox knows those of its own writes only; an edit of a row that
 * somebody else wrote since would be refused for ever.
 */
export function seenVersions(entityType: string) {
  const versions = new Map<string, number>()
  void store.getItem<Map<string, number>>(entityType).then((kept) => {
    for (const [id, version] of kept ?? []) if (!versions.has(id)) versions.set(id, version)
  })

  return {
    /** The store shows these rows now, so what is written next is based on them. */
    async see(rows: readonly { id: string; version: number }[]): Promise<void> {
      for (const { id, version } of rows) versions.set(id, version)
      await store.setItem(entityType, versions)
    },
    /** The attempt, based on the newer of what was written and what was seen. */
    basedOnSeen(id: string, attempt: AttemptContext): AttemptContext {
      const seen = versions.get(id)
      return seen !== undefined && seen > Number(attempt.version ?? 0) ? { ...attempt, version: String(seen) } : attempt
    },
  }
}

/** One for each entity type, shared by its store and its strategy. */
export const noteVersions = seenVersions('note')
export const tagVersions = seenVersions('tag')
