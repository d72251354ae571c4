import { defineStore } from 'pinia'
import { computed } from 'vue'
import { readNote } from '../api.ts'
import { isServerless } from '../device.ts'
import type { Note } from '../entities.ts'
import { newId } from '../newId.ts'
import { eventBus } from '../persistence.ts'
import { syncedEntities } from './syncedEntities.ts'

/** What the user did by hand goes before what was added in bulk. */
const byHand = 10

/** The part of a note that the user writes. */
export type NoteText = Pick<Note, 'title' | 'body' | 'tagIds'>

/** Holds the notes, says on the bus what happened to them, and takes back what became of it. */
export const useNotesStore = defineStore('notes', () => {
  const { entities: notes, all, keep, drop, ...rest } = syncedEntities('note', isServerless ? undefined : readNote)
  const newestFirst = computed(() => all.value.toSorted((a, b) => b.updatedAt - a.updatedAt))

  function add(text: NoteText, { priority = byHand, at = Date.now() } = {}): Note {
    const note = { id: newId(), ...text, createdAt: at, updatedAt: at }
    keep(note)
    eventBus.emit('entity:created', { entityType: 'note', data: note, priority, dependsOn: tagsOf(note) })
    return note
  }

  function edit(id: string, text: NoteText): void {
    const before = notes.get(id)
    if (!before) return
    const note = { ...before, ...text, updatedAt: Date.now() }
    keep(note)
    eventBus.emit('entity:updated', { entityType: 'note', data: note, priority: byHand, dependsOn: tagsOf(note) })
  }

  function remove(id: string): void {
    if (!notes.has(id)) return
    drop(id)
    eventBus.emit('entity:deleted', { entityType: 'note', id, priority: byHand })
  }

  return { notes, all, newestFirst, add, edit, remove, keep, ...rest }
})

/** A note goes after the tags it names. */
const tagsOf = (note: Note) => note.tagIds.map((id) => ({ entityType: 'tag', id }))
