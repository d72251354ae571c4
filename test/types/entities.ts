import type { AttemptContext, PersistableEntity, PersistenceStrategy, PersistReceipt } from 'rx-outbox'

export interface Note {
  id: string
  text: string
}
export interface Tag {
  id: string
  name: string
}

export declare class NoteStrategy implements PersistenceStrategy<Note> {
  persistCreate(entity: PersistableEntity<Note>, attempt: AttemptContext): Promise<PersistReceipt<Note>>
  persistUpdate(entity: PersistableEntity<Note>): Promise<void>
  persistDelete(id: string): Promise<void>
}
export declare const noteStrategy: NoteStrategy
export declare const tagStrategy: PersistenceStrategy<Tag>
export declare const note: Note
export declare const tag: Tag
