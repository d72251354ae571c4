import { useObservable } from '@vueuse/rxjs'
import { defineStore } from 'pinia'
import type { Conflict, Resolution } from 'rx-outbox'
import { usePersistence } from 'rx-outbox/vue'
import { computed } from 'vue'
import type { Entities, Note } from '../entities.ts'
import { useNotesStore } from './notes.ts'

/** Notes that were changed here and elsewhere, and that the user has to decide about. */
export const useConflictsStore = defineStore('conflicts', () => {
  const persistence = usePersistence<Entities>()
  const notes = useNotesStore()
  const conflicts = useObservable(persistence.conflicts$, { initialValue: [] })
  const all = computed(() => conflicts.value.flatMap((conflict) => (conflict.entityType === 'note' ? conflict : [])))
  const byId = computed(() => new Map(all.value.map((conflict) => [conflict.id, conflict])))

  /** Rejects where the conflict is another one by now. */
  async function resolve({ taskId }: Conflict<Note>, resolution: Resolution<Note>): Promise<void> {
    await persistence.resolve(taskId, resolution)
    if (typeof resolution === 'object') notes.keep(resolution.merged)
  }

  return { all, byId, resolve }
})
