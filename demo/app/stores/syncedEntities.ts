import type { Subscription } from 'rxjs'
import { usePersistence } from 'rx-outbox/vue'
import { computed, ref, shallowReactive } from 'vue'
import type { z } from 'zod/mini'
import { listEntities } from '../api.ts'
import { entityCache } from '../cache.ts'
import type { Entities } from '../entities.ts'
import { retryConfig } from '../persistence.ts'
import type { seenVersions } from '../seenVersions.ts'
import { createSyncStates, followSync, recallSync } from './syncStates.ts'
import { takeOver } from './takeOver.ts'

interface Kind<K extends keyof Entities> {
  entityType: K
  path: string
  schema: z.ZodMiniType<Entities[K]>
  versions: ReturnType<typeof seenVersions>
}

/** What every store here is made of: entities kept on this device, and how far each has got. */
export function syncedEntities<K extends keyof Entities>({ entityType, path, schema, versions }: Kind<K>) {
  const persistence = usePersistence<Entities>()
  const cache = entityCache<Entities[K]>(`demo-${entityType}s`)
  const entities = shallowReactive(new Map<string, Entities[K]>())
  const sync = createSyncStates()
  const isLoaded = ref(false)
  const touched = new Set<string>()
  const all = computed(() => [...entities.values()])

  /** Changed here: what the server says from now on may be older than this. */
  function touch(id: string): void {
    touched.add(id)
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

  async function takeOverRows(): Promise<void> {
    touched.clear()
    const unsent = new Set<string>()
    const noteUnsent = async () => {
      const stored = await persistence.metadata(entityType)
      for (const [id, { syncStatus }] of stored) if (syncStatus !== 'synced') unsent.add(id)
      // Told to the bus, but perhaps not stored yet.
      for (const [id, { syncStatus }] of sync) if (syncStatus === 'pending') unsent.add(id)
    }
    // Before, after and in between: an answer may be older than what was sent while it was on its way.
    await noteUnsent()
    const rows = await listEntities(path, schema)
    await noteUnsent()
    for (const id of touched) unsent.add(id)
    const shown = rows.filter(({ id }) => !unsent.has(id))
    const { changed, removed } = takeOver(entities, shown, unsent)
    await Promise.all([versions.see(shown), ...changed.map(cache.put), ...removed.map(cache.remove)])
  }

  let refreshing: Promise<void> = Promise.resolve()
  /** What the server holds, apart from what it has not been told yet. Rejects when it cannot be asked. */
  function refresh(): Promise<void> {
    refreshing = refreshing.then(takeOverRows, takeOverRows)
    return refreshing
  }

  let listening: Subscription | undefined
  /** Subscribes once, however often it is called. */
  function initPersistenceListeners(): void {
    listening ??= followSync(entityType, sync, persistence)
  }

  return { entities, all, sync, isLoaded, keep, drop, load, refresh, initPersistenceListeners }
}
