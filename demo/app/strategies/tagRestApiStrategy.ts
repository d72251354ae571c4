import type { AttemptContext, PersistableEntity, PersistenceStrategy } from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'
import { type Tag, tagSchema } from '../entities.ts'
import { tagVersions } from '../seenVersions.ts'

/** How tags reach the server. */
export class TagRestApiStrategy implements PersistenceStrategy<Tag> {
  readonly #rest = restStrategy<Tag>({ url: '/api/tags', schema: tagSchema })

  persistCreate(tag: PersistableEntity<Tag>, attempt: AttemptContext) {
    return this.#rest.persistCreate(tag, attempt)
  }

  persistUpdate(tag: PersistableEntity<Tag>, attempt: AttemptContext) {
    return this.#rest.persistUpdate(tag, tagVersions.basedOnSeen(tag.id, attempt))
  }

  persistDelete(id: string, entityType: string, attempt: AttemptContext) {
    return this.#rest.persistDelete(id, entityType, tagVersions.basedOnSeen(id, attempt))
  }
}
