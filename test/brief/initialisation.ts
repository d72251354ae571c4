import { usePersistence } from 'rx-outbox/vue'
import { NoteRestApiStrategy } from '../../demo/app/strategies/noteRestApiStrategy.ts'
import { TagRestApiStrategy } from '../../demo/app/strategies/tagRestApiStrategy.ts'
import { useNotesStore } from './notesStore.ts'

/** Stands in App.vue. */
export function initialisation() {
  usePersistence({
    strategies: {
      note: new NoteRestApiStrategy(),
      tag: new TagRestApiStrategy(),
    },
    options: {
      retryConfig: {
        maxRetries: 3, // at most 3 retries
        initialDelay: 180000, // 3 minutes before the first retry
        multiplier: 4, // 3 min → 12 min → 48 min
        maxDelay: 3600000, // at most 1 hour (optional)
      },
    },
  })
  const notesStore = useNotesStore()
  notesStore.initPersistenceListeners() // the store listens to what became of its events
  return notesStore
}
