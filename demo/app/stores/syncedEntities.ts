import type { Subscription } from 'rxjs'
import type { PersistenceTask } from 'rx-outbox'
import { usePersistence } from 'rx-outbox/vue'
import { computed, ref, shallowReactive } from 'vue'
import { caches } from '../cache.ts'
import type { Entities } from '../entities.ts'
import { retryConfig } from '../persistence.ts'
import { createSyncStates, followSync, recallSync } from './syncStates.ts'

/**
 * What every store here is made of: entities kept on this device, and how far each has got. `readBack` gives what the
 * server holds, for when a change was given up.
 */
export function syncedEntities<K extends keyof Entities>(
  entityType: K,
  readBack?: (id: string) => Promise<Entities[K] | undefined>,
) {
  const persistence = usePersistence<Entities>()
  const cache: (typeof caches)[K] = caches[entityType]
  const entities = shallowReactive(new Map<string, Entities[K]>())
  const sync = createSyncStates()
  const isLoaded = ref(false)
  const all = computed(() => [...entities.values()])

  /** Shown at once, before the outbox has it. */
  function touch(id: string): void {
    const before = sync.get(id)
    if (before?.syncStatus === 'error' || before?.syncStatus === 'syncing') return
    sync.set(id, { ...before, syncStatus: 'pending', retryCount: 0, maxRetries: retryConfig.maxRetries })
  }

  function keep(entity: Entities[K]): void {
    touch(entity.id)
    entities.set(entity.id, entity)
    void cache.put(entity)
  }

  function drop(id: string): void {
    touch(id)
    entities.delete(id)
    void cache.remove(id)
  }

  /** What is kept on this device: shown at once, with or without a network. */
  async function load(): Promise<void> {
    for (const entity of await cache.all()) if (!entities.has(entity.id)) entities.set(entity.id, entity)
    isLoaded.value = true
    await recallSync(entityType, sync, persistence)
  }

  let listening: Subscription | undefined
  /** Subscribes once, however often it is called. */
  function initPersistenceListeners(): void {
    if (listening) return
    listening = followSync(entityType, sync, persistence)
    // What others changed is in the cache already, also when another tab has put it there.
    listening.add(
      persistence.remote$(entityType).subscribe(({ id, data }) => {
        if (data) entities.set(id, data)
        else entities.delete(id)
      }),
    )
    listening.add(
      persistence.bus.on('queue:task-discarded', async ({ task }) => {
        if (task.entityType === entityType) await goBack(task)
      }),
    )
  }

  /** A change was given up: what is shown is what the server holds. */
  async function goBack({ entityId: id, operation }: PersistenceTask): Promise<void> {
    const left = await persistence.metadata(entityType, id)
    if (left && left.syncStatus !== 'synced') return
    const entity = operation === 'create' ? undefined : await readBack?.(id)
    if (entity) {
      entities.set(id, entity)
      await cache.put(entity)
    } else if (operation === 'create' || readBack) {
      entities.delete(id)
      await cache.remove(id)
    }
  }

  return { entities, all, sync, isLoaded, keep, drop, load, initPersistenceListeners }
}
