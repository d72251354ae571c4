import { defineStore } from 'pinia'
import { usePersistence } from 'rx-outbox/vue'
import { ref } from 'vue'
import type { Entities, Note as NoteType, Tag as TagType } from '../../demo/app/entities.ts'

export const useNotesStore = defineStore('brief-notes', () => {
  const { bus: eventBus } = usePersistence<Entities>()
  const notes = ref<NoteType[]>([])
  const tags = ref<TagType[]>([])
  const backendIds = ref(new Map<string, string | undefined>())

  function addNote(note: NoteType) {
    notes.value.push(note)
    eventBus.emit('entity:created', { entityType: 'note', data: note })
  }

  function addTag(tag: TagType) {
    tags.value.push(tag)
    eventBus.emit('entity:created', { entityType: 'tag', data: tag })
  }

  function initPersistenceListeners() {
    eventBus.on('entity:persisted', ({ id, metadata }) => {
      backendIds.value.set(id, metadata.backendId)
    })
  }

  return { notes, tags, backendIds, addNote, addTag, initPersistenceListeners }
})
