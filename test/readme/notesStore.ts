import { defineStore } from 'pinia'
import { usePersistence } from 'rx-outbox/vue'
import { ref } from 'vue'

export type Note = { id: string; title: string }

export const useNotesStore = defineStore('notes', () => {
  const { bus } = usePersistence<{ note: Note }>()
  const notes = ref<Note[]>([])

  function add(note: Note) {
    notes.value.push(note)
    bus.emit('entity:created', { entityType: 'note', data: note })
  }

  return { notes, add }
})
