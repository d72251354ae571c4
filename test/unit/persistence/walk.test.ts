import { createEventBus, createPersistence, memoryStore, type PersistenceStrategy } from 'rx-outbox'
import { expect, test } from 'vitest'

interface Note {
  id: string
  text: string
}

function recording(): PersistenceStrategy<Note> & { calls: string[] } {
  const calls: string[] = []
  return {
    calls,
    persistCreate: async ({ data }) => {
      calls.push(`create ${data.id} ${data.text}`)
      return { backendId: `b-${data.id}` }
    },
    persistUpdate: async ({ data }, { backendId }) => {
      calls.push(`update ${backendId} ${data.text}`)
    },
    persistDelete: async (id) => {
      calls.push(`delete ${id}`)
    },
  }
}

test('an event on the bus reaches its strategy and comes back as an outcome', async () => {
  const bus = createEventBus<{ note: Note }>()
  const note = recording()
  const persisted: string[] = []
  bus.on('entity:persisted', ({ id, metadata }) => void persisted.push(`${id} ${metadata.backendId}`))
  const persistence = createPersistence({ strategies: { note }, options: { bus, storage: memoryStore() } })
  bus.emit('entity:created', { entityType: 'note', data: { id: 'n1', text: 'hello' } })
  await persistence.idle()
  expect(note.calls).toEqual(['create n1 hello'])
  expect(persisted).toEqual(['n1 b-n1'])
  await persistence.close()
})

test('what was stored while offline is sent by the next instance', async () => {
  const storage = memoryStore()
  const note = recording()
  const { NEVER, of, concat } = await import('rxjs')
  const first = createPersistence({ strategies: { note }, options: { storage, online$: concat(of(false), NEVER) } })
  const receipt = first.created('note', { id: 'n1', text: 'hello' })
  await receipt.durable
  await first.updated('note', { id: 'n1', text: 'changed' }).durable
  await first.close()
  expect(note.calls).toEqual([])
  const second = createPersistence({ strategies: { note }, options: { storage } })
  await second.idle()
  expect(note.calls).toEqual(['create n1 changed'])
  expect(await second.metadata('note', 'n1')).toMatchObject({ syncStatus: 'synced', backendId: 'b-n1' })
  await second.close()
})
