import type { Conflict } from 'rx-outbox'
import type { Note } from '../entities.ts'
import type { NoteText } from '../stores/notes.ts'

/** What the user can choose of a note, in the order it is shown. */
export type Field = keyof NoteText
export type Side = 'local' | 'remote'

export const fields: readonly Field[] = ['title', 'tagIds', 'body']
export const labels: Record<Field, string> = { title: 'Title', tagIds: 'Tags', body: 'Text' }

/** Who changed a field since the base; without a base both did, where they differ. Tags are merged by themselves. */
export function changedBy(field: Field, { base, local, remote }: Conflict<Note>): Side | 'both' | 'nobody' {
  const [was, mine, theirs] = [base, local, remote].map((note) => JSON.stringify(note?.[field]))
  if (mine === theirs) return 'nobody'
  if (base && was === mine) return 'remote'
  if (base && was === theirs) return 'local'
  return field === 'tagIds' ? 'nobody' : 'both'
}
