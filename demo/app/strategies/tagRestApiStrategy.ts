import type { AttemptContext, PersistableEntity, PersistenceStrategy } from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'
import { type Tag, tagSchema } from '../entities.ts'

/** One way on which tags reach the server and come from it. */
export class TagRestApiStrategy implements PersistenceStrategy<Tag> {
  readonly #rest: PersistenceStrategy<Tag>
  readonly pull

  constructor(url = '/api/tags') {
    this.#rest = restStrategy<Tag>({ url, schema: tagSchema })
    this.pull = this.#rest.pull
  }

  persistCreate(tag: PersistableEntity<Tag>, attempt: AttemptContext) {
    return this.#rest.persistCreate(tag, attempt)
  }

  persistUpdate(tag: PersistableEntity<Tag>, attempt: AttemptContext) {
    return this.#rest.persistUpdate(tag, attempt)
  }

  persistDelete(id: string, entityType: string, attempt: AttemptContext) {
    return this.#rest.persistDelete(id, entityType, attempt)
  }
}
