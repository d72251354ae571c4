import { defineStore } from 'pinia'
import { exhaustMap, filter } from 'rxjs'
import { usePersistence } from 'rx-outbox/vue'
import { computed } from 'vue'
import { readTag } from '../api.ts'
import { isServerless } from '../device.ts'
import type { Entities, Tag } from '../entities.ts'
import { newId } from '../newId.ts'
import { eventBus } from '../persistence.ts'
import { syncedEntities } from './syncedEntities.ts'

/** Holds the tags, says on the bus what happened to them, and takes back what became of it. */
export const useTagsStore = defineStore('tags', () => {
  const { entities: tags, all, keep, drop, ...rest } = syncedEntities('tag', isServerless ? undefined : readTag)
  const byName = computed(() => all.value.toSorted((a, b) => a.name.localeCompare(b.name)))

  /** The tag of that name, made when there is none. */
  function named(name: string): Tag {
    const known = all.value.find((tag) => tag.name.toLowerCase() === name.toLowerCase())
    if (known) return known
    const tag = { id: newId(), name }
    keep(tag)
    eventBus.emit('entity:created', { entityType: 'tag', data: tag, priority: 10 })
    return tag
  }

  function remove(id: string): void {
    if (!tags.has(id)) return
    drop(id)
    eventBus.emit('entity:deleted', { entityType: 'tag', id, priority: 10 })
  }

  /**
   * Tags are not listened to: a browser opens six connections to a server, and each device here would take one more of
   * them. Who meets an unknown tag asks for it; a pull that fails is told by the outbox, and made up for by the next one.
   */
  const persistence = usePersistence<Entities>()
  persistence
    .remote$('note')
    .pipe(
      filter(({ data }) => data?.tagIds.some((id) => !tags.has(id)) === true),
      exhaustMap(() => persistence.pull('tag').catch(() => undefined)),
    )
    .subscribe()

  return { tags, all, byName, named, remove, ...rest }
})
