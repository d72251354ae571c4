import localforage from 'localforage'

/**
 * The app's own copy of its entities, so that it starts without the network. The outbox keeps only what is unsent.
 * One entry an entity: an edit writes one of them, however many there are.
 */
export function entityCache<T extends { id: string }>(storeName: string) {
  const store = localforage.createInstance({ name: 'demo', storeName })
  return {
    async all(): Promise<T[]> {
      const entities: T[] = []
      await store.iterate<T, void>((entity) => {
        entities.push(entity)
      })
      return entities
    },
    put: (entity: T) => store.setItem(entity.id, entity),
    remove: (id: string) => store.removeItem(id),
  }
}
