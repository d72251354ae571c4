import localforage from 'localforage'
import type { IncomingChange } from 'rx-outbox'
import { keptAs } from './device.ts'
import type { Entities } from './entities.ts'

/**
 * The app's own copy of its entities, so that it starts without the network. The outbox keeps only what is unsent.
 * One entry an entity: an edit writes one of them, however many there are.
 */
function entityCache<T extends { id: string }>(storeName: string) {
  const store = localforage.createInstance({ name: keptAs('demo'), storeName })
  const put = (entity: T) => store.setItem(entity.id, entity)
  const remove = (id: string) => store.removeItem(id)
  return {
    async all(): Promise<T[]> {
      const entities: T[] = []
      await store.iterate<T, void>((entity) => {
        entities.push(entity)
      })
      return entities
    },
    put,
    remove,
    /** What others changed. Every write is begun before the user can make another one. */
    apply: (changes: readonly IncomingChange<T>[]): Promise<unknown> =>
      Promise.all(changes.map(({ id, data }) => (data ? put(data) : remove(id)))),
  }
}

/** One for each entity type: the stores read and write them, the outbox brings in what others changed. */
export const caches: { [K in keyof Entities]: ReturnType<typeof entityCache<Entities[K]>> } = {
  note: entityCache('demo-notes'),
  tag: entityCache('demo-tags'),
  card: entityCache('demo-cards'),
}
