import type { Conflict } from 'rx-outbox'
import { computed, reactive } from 'vue'
import type { Note } from '../entities.ts'
import { mergeTagIds } from '../mergeTagIds.ts'
import type { NoteText } from '../stores/notes.ts'
import { changedBy, fields, labels, type Field, type Side } from './changedBy.ts'

/** What is made of two versions of a note: chosen field by field, or written by hand. */
export function useMerge(conflict: () => Conflict<Note>) {
  const result = reactive(begin(conflict()))
  const open = computed(() => fields.filter((field) => changedBy(field, conflict()) === 'both'))
  const agreed = computed(() =>
    fields.flatMap((field) => {
      const by = changedBy(field, conflict())
      return by === 'local' ? `${labels[field]}: yours` : by === 'remote' ? `${labels[field]}: theirs` : []
    }),
  )

  /** Whose version the result has; nobody's once it was written by hand. */
  function choiceOf(field: Field): Side | undefined {
    const has = (side: Side) => JSON.stringify(result[field]) === JSON.stringify(conflict()[side]?.[field])
    return has('local') ? 'local' : has('remote') ? 'remote' : undefined
  }

  function take(side: Side, taken: readonly Field[] = fields) {
    const note = conflict()[side]
    if (!note) return
    for (const field of taken) Object.assign(result, { [field]: note[field] })
  }

  /** The whole note, as it is to be kept. */
  function merged(local: Note): Note {
    return { ...local, ...result, tagIds: [...result.tagIds], updatedAt: Date.now() }
  }
  return { result, open, agreed, choiceOf, take, merged }
}

/** Begins with what only one side changed, and with what is here where both did. */
function begin(conflict: Conflict<Note>): NoteText {
  const { base, local, remote } = conflict
  const of = (field: Field) => (changedBy(field, conflict) === 'remote' ? remote : local)
  return {
    title: of('title')?.title ?? '',
    body: of('body')?.body ?? '',
    tagIds: mergeTagIds({ base: base?.tagIds, local: local?.tagIds, remote: remote?.tagIds }),
  }
}
