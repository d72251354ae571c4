import type { DocumentStorage } from '../../../strategies/p2p/documents.ts'

export interface MapStorage extends DocumentStorage {
  items: Map<string, unknown>
  /** While it is set, writing fails with it. */
  failure: Error | undefined
}

/** Storage that a device can find again: what is written is a copy. */
export function mapStorage(items = new Map<string, unknown>()): MapStorage {
  const storage: MapStorage = {
    items,
    failure: undefined,
    getItem: async (key) => structuredClone(items.get(key) ?? null),
    async setItem(key, value) {
      if (storage.failure) throw storage.failure
      items.set(key, structuredClone(value))
    },
    keys: async () => [...items.keys()],
  }
  return storage
}
