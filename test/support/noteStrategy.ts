import type { PersistableEntity, PersistenceStrategy } from '../../lib/types.ts'

export interface Note {
  id: string
  text: string
}

/** A strategy that accepts everything at once and remembers what it was given. */
export class RememberingStrategy<T> implements PersistenceStrategy<T> {
  readonly created: PersistableEntity<T>[] = []
  readonly updated: PersistableEntity<T>[] = []
  readonly deleted: string[] = []

  async persistCreate(entity: PersistableEntity<T>) {
    this.created.push(entity)
  }
  async persistUpdate(entity: PersistableEntity<T>) {
    this.updated.push(entity)
  }
  async persistDelete(id: string) {
    this.deleted.push(id)
  }
}
