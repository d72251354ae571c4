import localforage from 'localforage'
import { crdtStrategy } from 'rx-outbox/crdt'
import { fallback } from 'rx-outbox/hybrid'
import { keptAs } from '../device.ts'
import { type Card, cardSchema } from '../entities.ts'
import { NoteRestApiStrategy } from './noteRestApiStrategy.ts'
import { TagRestApiStrategy } from './tagRestApiStrategy.ts'

/** With a server: REST for what one person edits at a time, CRDT for what several write into at once. */
export const overServer = {
  note: new NoteRestApiStrategy(),
  // Two ways to one backend: where the first one fails, or takes too long, the second one is tried.
  tag: fallback(
    { direct: new TagRestApiStrategy('/api/tags'), detour: new TagRestApiStrategy('/api/detour/tags') },
    { oneBackend: true, patience: 2_000 },
  ),
  card: crdtStrategy<Card>({
    collection: 'cards',
    url: '/crdt',
    text: ['title', 'text'],
    schema: cardSchema,
    token: () => 'demo',
    storage: localforage.createInstance({ name: keptAs('demo'), storeName: 'documents' }),
  }),
}
