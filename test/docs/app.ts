import type { Persistence, PersistenceStrategy } from 'rx-outbox'

// What the guides take for granted: the reader's own app.
export interface Note {
  id: string
  title: string
  text: string
}
export interface Tag {
  id: string
  name: string
}
export interface Draft {
  id: string
  text: string
  updatedAt: number
}
export interface List {
  id: string
  items: string[]
}
export interface Card {
  id: string
  title: string
  body: string
}

export declare const strategies: {
  note: PersistenceStrategy<Note>
  tag: PersistenceStrategy<Tag>
  draft: PersistenceStrategy<Draft>
  list: PersistenceStrategy<List>
}
export declare const persistence: Persistence<{ note: Note }>
export declare const session: { token: () => string }
export declare const password: string
export declare const taskId: string
export declare const edited: Note
export declare function joined(local: List, remote: List): List
export declare function show(...what: unknown[]): void
