import type { AttemptContext, PersistableEntity, PersistenceStrategy, PullRequest } from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'
import { type Note, noteSchema } from '../entities.ts'
import { pullRows } from './pullRows.ts'

/** How notes reach the server, and how those of others come from it. Anything a note needs and a tag does not goes here. */
export class NoteRestApiStrategy implements PersistenceStrategy<Note> {
  readonly #rest = restStrategy<Note>({ url: '/api/notes', schema: noteSchema })

  persistCreate(note: PersistableEntity<Note>, attempt: AttemptContext) {
    return this.#rest.persistCreate(note, attempt)
  }

  persistUpdate(note: PersistableEntity<Note>, attempt: AttemptContext) {
    return this.#rest.persistUpdate(note, attempt)
  }

  persistDelete(id: string, entityType: string, attempt: AttemptContext) {
    return this.#rest.persistDelete(id, entityType, attempt)
  }

  pull(request: PullRequest) {
    return pullRows<Note>('/api/notes', request)
  }
}
