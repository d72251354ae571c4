import type { AttemptContext, PersistableEntity, PersistenceStrategy, PullRequest } from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'
import { type Tag, tagSchema } from '../entities.ts'
import { pullRows } from './pullRows.ts'

/** How tags reach the server. */
export class TagRestApiStrategy implements PersistenceStrategy<Tag> {
  readonly #rest = restStrategy<Tag>({ url: '/api/tags', schema: tagSchema })

  persistCreate(tag: PersistableEntity<Tag>, attempt: AttemptContext) {
    return this.#rest.persistCreate(tag, attempt)
  }

  persistUpdate(tag: PersistableEntity<Tag>, attempt: AttemptContext) {
    return this.#rest.persistUpdate(tag, attempt)
  }

  persistDelete(id: string, entityType: string, attempt: AttemptContext) {
    return this.#rest.persistDelete(id, entityType, attempt)
  }

  pull(request: PullRequest) {
    return pullRows<Tag>('/api/tags', request)
  }
}
