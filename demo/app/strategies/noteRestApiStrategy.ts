import type { AttemptContext, PersistableEntity, PersistenceStrategy } from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'
import { type Note, noteSchema } from '../entities.ts'

/** How notes reach the server and come from it. Anything a note needs and a tag does not goes here. */
export class NoteRestApiStrategy implements PersistenceStrategy<Note> {
  readonly #rest = restStrategy<Note>({ url: '/api/notes', schema: noteSchema, live: true })
  readonly pull = this.#rest.pull
  readonly changes$ = this.#rest.changes$

  persistCreate(note: PersistableEntity<Note>, attempt: AttemptContext) {
    return this.#rest.persistCreate(note, attempt)
  }

  persistUpdate(note: PersistableEntity<Note>, attempt: AttemptContext) {
    return this.#rest.persistUpdate(note, attempt)
  }

  persistDelete(id: string, entityType: string, attempt: AttemptContext) {
    return this.#rest.persistDelete(id, entityType, attempt)
  }
}
