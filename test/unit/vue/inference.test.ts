import { expect, expectTypeOf, it } from 'vitest'
import type { EventBus, Persistence } from '../../../lib/api.ts'
import { persistencePlugin, usePersistence, useSyncStatus } from '../../../lib/composables/index.ts'
import type { AttemptContext, PersistableEntity, PersistenceStrategy, PersistReceipt } from '../../../lib/types.ts'

interface Note {
  id: string
  text: string
}
interface Tag {
  id: string
  name: string
}

class NoteStrategy implements PersistenceStrategy<Note> {
  async persistCreate(entity: PersistableEntity<Note>, attempt: AttemptContext): Promise<PersistReceipt<Note>> {
    return { backendId: attempt.taskId, data: entity.data }
  }
  async persistUpdate(_entity: PersistableEntity<Note>) {}
  async persistDelete(_id: string) {}
}
declare const tagStrategy: PersistenceStrategy<Tag>
declare const noteBus: EventBus<{ note: Note }>

/** Never called: what stands here is checked by the compiler, which is part of the tests. */
function compiled() {
  const strategies = { note: new NoteStrategy(), tag: tagStrategy }
  const persistence = usePersistence({ strategies, options: { retryConfigByEntityType: { note: { maxRetries: 5 } } } })
  expectTypeOf(persistence).toEqualTypeOf<Persistence<{ note: Note; tag: Tag }>>()
  persistence.bus.emit('entity:created', { entityType: 'note', data: { id: '1', text: 'a' } })
  // @ts-expect-error a tag is no note
  persistence.bus.emit('entity:created', { entityType: 'note', data: { id: '1', name: 'a' } })
  // @ts-expect-error no strategy is called that
  persistence.created('nope', { id: '1', text: 'a' })
  // @ts-expect-error options know the entity types as well
  usePersistence({ strategies, options: { retryConfigByEntityType: { nope: { maxRetries: 5 } } } })
  usePersistence({
    strategies,
    options: {
      idOf: (data) => data.id,
      operators: { note: { events: (event$) => (expectTypeOf(event$).not.toBeAny(), event$) } },
    },
  })

  expectTypeOf(usePersistence({ note: new NoteStrategy() })).toEqualTypeOf<Persistence<{ note: Note }>>()
  expectTypeOf(usePersistence({ strategies: new NoteStrategy() })).toEqualTypeOf<Persistence<{ strategies: Note }>>()

  expectTypeOf(usePersistence({ strategies: { note: new NoteStrategy() }, options: { bus: noteBus } })).toEqualTypeOf<
    Persistence<{ note: Note }>
  >()
  // @ts-expect-error a type of the bus without a strategy
  usePersistence({ strategies: {}, options: { bus: noteBus } })
  // @ts-expect-error a strategy of tags is none of notes
  usePersistence({ strategies: { note: tagStrategy }, options: { bus: noteBus } })

  const known = usePersistence<{ note: Note }>()
  expectTypeOf(known).toEqualTypeOf<Persistence<{ note: Note }>>()
  // @ts-expect-error a tag is no note
  known.updated('note', { id: '1', name: 'a' })

  usePersistence().bus.on('entity:persisted', ({ entityType, data }) => {
    expectTypeOf(entityType).toEqualTypeOf<string>()
    expectTypeOf(data).toEqualTypeOf<unknown>()
  })

  useSyncStatus('note', () => '1')
  useSyncStatus<{ note: Note }>('note', '1')
  // @ts-expect-error not in the entity map
  useSyncStatus<{ note: Note }>('tag', '1')
  // @ts-expect-error an id is text
  useSyncStatus('note', 1)

  persistencePlugin({ strategies, options: { concurrency: 2 } })
  persistencePlugin({ note: new NoteStrategy() })
  // @ts-expect-error no such option
  persistencePlugin({ strategies, options: { concurency: 2 } })
}

it('infers entity types from strategies, from the bus or from a type argument', () => {
  expect(compiled).toBeTypeOf('function')
})
