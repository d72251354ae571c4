import { defineStore } from 'pinia'
import { computed } from 'vue'
import { readTag } from '../api.ts'
import { isServerless } from '../device.ts'
import type { Tag } from '../entities.ts'
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
    const tag = { id: crypto.randomUUID(), name }
    keep(tag)
    eventBus.emit('entity:created', { entityType: 'tag', data: tag, priority: 10 })
    return tag
  }

  function remove(id: string): void {
    if (!tags.has(id)) return
    drop(id)
    eventBus.emit('entity:deleted', { entityType: 'tag', id, priority: 10 })
  }

  return { tags, all, byName, named, remove, ...rest }
})
