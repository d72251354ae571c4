// Never run: what stands here is checked by the compiler, which is part of the tests.
import { createEventBus, createPersistence, type EventBus, type Persistence } from 'rx-outbox'
import { expectTypeOf } from 'vitest'
import { note, noteStrategy, tag, tagStrategy, type Note, type Tag } from './entities.ts'

const bus = createEventBus<{ note: Note; tag: Tag }>()

expectTypeOf(
  createPersistence({ strategies: { note: noteStrategy, tag: tagStrategy }, options: { bus } }),
).toEqualTypeOf<Persistence<{ note: Note; tag: Tag }>>()

// @ts-expect-error a type of the bus without a strategy
createPersistence({ strategies: { note: noteStrategy }, options: { bus } })
// @ts-expect-error a strategy of tags is none of notes
createPersistence({ strategies: { note: tagStrategy, tag: tagStrategy }, options: { bus } })
// @ts-expect-error nor is a strategy of notes one of tags, although its class has methods
createPersistence({ strategies: { note: noteStrategy, tag: noteStrategy }, options: { bus } })

bus.emit('entity:created', { entityType: 'note', data: note })
bus.emit('entity:updated', { entityType: 'tag', data: tag, priority: 10, maxAge: 60_000, expiresAt: 0 })
bus.emit('entity:created', { entityType: 'note', data: note, dependsOn: [{ entityType: 'tag', id: 't1' }] })
bus.emit('entity:deleted', { entityType: 'note', id: 'n1' })
bus.emit('entity:deleted', { entityType: 'note', data: note })

// @ts-expect-error no entity type is called that
bus.emit('entity:created', { entityType: 'city', data: note })
// @ts-expect-error a tag is no note
bus.emit('entity:created', { entityType: 'note', data: tag })
// @ts-expect-error a field is missing
bus.emit('entity:created', { entityType: 'note', data: { id: 'n1' } })
// @ts-expect-error an id is text
bus.emit('entity:created', { entityType: 'note', data: { id: 1, text: '' } })
// @ts-expect-error data is the whole entity, also of an update
bus.emit('entity:updated', { entityType: 'note', id: 'n1' })
// @ts-expect-error which one is deleted?
bus.emit('entity:deleted', { entityType: 'note' })
// @ts-expect-error an id is text
bus.emit('entity:deleted', { entityType: 'note', id: 1 })
// @ts-expect-error a priority is a number
bus.emit('entity:created', { entityType: 'note', data: note, priority: 'high' })
// @ts-expect-error no event is called that
bus.emit('entity:creatd', { entityType: 'note', data: note })
// @ts-expect-error the payload of another event
bus.emit('auth:required', { task: note })

bus.on('entity:persisted', (news) => {
  expectTypeOf(news.entityType).toEqualTypeOf<'note' | 'tag'>()
  expectTypeOf(news.metadata.backendId).toEqualTypeOf<string | undefined>()
  if (news.entityType === 'note') expectTypeOf(news.data).toEqualTypeOf<Note | undefined>()
  if (news.entityType === 'tag') expectTypeOf(news.data).toEqualTypeOf<Tag | undefined>()
  // @ts-expect-error only errors have one
  void news.willRetry
})
bus.on('entity:update-error').subscribe(({ error, willRetry, retryAt }) => {
  expectTypeOf(error.category).not.toBeAny()
  expectTypeOf(willRetry).toEqualTypeOf<boolean>()
  expectTypeOf(retryAt).toEqualTypeOf<number | undefined>()
})
bus.on('queue:task-failed', async ({ task }) => {
  expectTypeOf(task.outcome).toEqualTypeOf<'failed' | 'expired' | undefined>()
})
// @ts-expect-error no event is called that
bus.on('entity:persistd')
// @ts-expect-error a handler takes the event's payload
bus.on('queue:task-failed', (text: string) => text)

expectTypeOf(createEventBus()).toEqualTypeOf<EventBus<Record<string, unknown>>>()
