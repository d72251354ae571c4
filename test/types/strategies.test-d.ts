// Never run: what stands here is checked by the compiler, which is part of the tests.
import { createPersistence, type Persistence, type PersistenceStrategy, type Receipt, type Settled } from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'
import { EMPTY, of } from 'rxjs'
import { expectTypeOf } from 'vitest'
import * as z from 'zod/mini'
import { note, noteStrategy, tag, tagStrategy, type Note, type Tag } from './entities.ts'

const persistence = createPersistence({
  strategies: { note: noteStrategy, tag: restStrategy<Tag>({ url: '/api/tags' }) },
})
expectTypeOf(persistence).toEqualTypeOf<Persistence<{ note: Note; tag: Tag }>>()

expectTypeOf(persistence.created('note', note)).toEqualTypeOf<Receipt<Note>>()
expectTypeOf(persistence.updated('tag', tag, { priority: 1 }).settled).resolves.toEqualTypeOf<Settled<Tag>>()
persistence.deleted('note', 'n1', { dependsOn: [{ entityType: 'tag', id: 't1' }] })
persistence.bus.emit('entity:created', { entityType: 'tag', data: tag })

// @ts-expect-error no strategy is called that
persistence.created('city', note)
// @ts-expect-error a tag is no note
persistence.created('note', tag)
// @ts-expect-error a field is missing
persistence.updated('note', { id: 'n1' })
// @ts-expect-error a delete takes the id
persistence.deleted('note', note)
// @ts-expect-error an id is text
persistence.deleted('note', 1)
// @ts-expect-error there is no such option of a task
persistence.created('note', note, { prioritty: 1 })
// @ts-expect-error no strategy is called that
persistence.bus.emit('entity:created', { entityType: 'city', data: note })
// @ts-expect-error no strategy is called that
persistence.metadata$('city', 'n1')
// @ts-expect-error an id is text
void persistence.metadata('note', 1)
// @ts-expect-error no strategy is called that
void persistence.authorized('city')

persistence.results$.subscribe((result) => {
  if (result.status === 'persisted') expectTypeOf(result.sent).toEqualTypeOf<boolean>()
  if (result.status === 'retrying') expectTypeOf(result.retryAt).toEqualTypeOf<number>()
  // @ts-expect-error only what was persisted has one
  void result.receipt
})

/** What it answers with may be a promise or a stream, a receipt or nothing. */
const answers: PersistenceStrategy<Note> = {
  persistCreate: () => of({ backendId: 'b1', version: 1 }),
  persistUpdate: async () => {},
  persistDelete: () => EMPTY,
  coalesce: (older, newer) => ({ ...older, ...newer }),
  reconcile: async () => ({ applied: true, receipt: { version: '2' } }),
}
createPersistence({ strategies: { note: answers } })

// @ts-expect-error a strategy has three methods
createPersistence({ strategies: { note: { persistCreate: async () => {} } } })
const asText: PersistenceStrategy<Note> = {
  ...answers,
  // @ts-expect-error a receipt is no text
  persistCreate: async () => 'b1',
  // @ts-expect-error a version is no date
  persistUpdate: async () => ({ version: new Date() }),
}
createPersistence({ strategies: { note: asText } })
// @ts-expect-error a strategy of tags is none of notes
createPersistence<{ note: Note }>({ strategies: { note: tagStrategy } })
// @ts-expect-error one of them has no strategy
createPersistence<{ note: Note; tag: Tag }>({ strategies: { note: noteStrategy } })

restStrategy<Tag>({ url: '/api/tags', schema: z.object({ id: z.string(), name: z.string() }) })
// @ts-expect-error the schema makes something else of an answer
restStrategy<Tag>({ url: '/api/tags', schema: z.object({ id: z.string() }) })
