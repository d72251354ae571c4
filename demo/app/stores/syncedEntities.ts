import type { Subscription } from 'rxjs'
import { usePersistence } from 'rx-outbox/vue'
import { computed, ref, shallowReactive } from 'vue'
import type { z } from 'zod/mini'
import { listEntities } from '../api.ts'
import { entityCache } from '../cache.ts'
import type { Entities } from '../entities.ts'
import { eventBus } from '../persistence.ts'
import { createSyncStates, followSync, recallSync } from './syncStates.ts'
import { takeOver } from './takeOver.ts'

interface Kind<K extends keyof Entities> {
  entityType: K
  path: string
  schema: z.ZodMiniType<Entities[K]>
}

/** What every store here is made of: entities kept on this device, and how far each has got. */
export function syncedEntities<K extends keyof Entities>({ entityType, path, schema }: Kind<K>) {
  const persistence = usePersistence<Entities>()
  const cache = entityCache<Entities[K]>(`demo-${entityType}s`)
  const entities = shallowReactive(new Map<string, Entities[K]>())
  const sync = createSyncStates()
  const isLoaded = ref(false)
  const all = computed(() => [...entities.values()])

  function keep(entity: Entities[K]): void {
    entities.set(entity.id, entity)
    void cache.put(entity)
  }

  function drop(id: string): void {
    entities.delete(id)
    void cache.remove(id)
  }

  /** What is kept on this device: shown at once, with or without a network. */
  async function load(): Promise<void> {
    for (const entity of await cache.all()) if (!entities.has(entity.id)) entities.set(entity.id, entity)
    isLoaded.value = true
    await recallSync(entityType, sync, persistence)
  }

  /** What the server holds, apart from what it has not been told yet. Rejects when it cannot be asked. */
  async function refresh(): Promise<void> {
    const unsent = new Set<string>()
    const noteUnsent = async () => {
      for (const [id, { syncStatus }] of await persistence.metadata(entityType)) {
        if (syncStatus !== 'synced') unsent.add(id)
      }
    }
    // Before, after and in between: an answer may be older than what was sent while it was on its way.
    const meanwhile = eventBus.on('queue:task-enqueued', ({ task }) => {
      if (task.entityType === entityType) unsent.add(task.entityId)
    })
    try {
      await noteUnsent()
      const rows = await listEntities(path, schema)
      await noteUnsent()
      const { changed, removed } = takeOver(entities, rows, unsent)
      await Promise.all([...changed.map(cache.put), ...removed.map(cache.remove)])
    } finally {
      meanwhile.unsubscribe()
    }
  }

  let listening: Subscription | undefined
  /** Subscribes once, however often it is called. */
  function initPersistenceListeners(): void {
    listening ??= followSync(entityType, sync, eventBus)
  }

  return { entities, all, sync, isLoaded, keep, drop, load, refresh, initPersistenceListeners }
}
