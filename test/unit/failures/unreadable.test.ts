import { createPersistence, memoryStore } from 'rx-outbox'
import { describe, expect, test } from 'vitest'

interface Note {
  id: string
}

const unreadable: [string, () => unknown][] = [
  ['an object without a prototype', () => Object.create(null)],
  [
    'a status getter that throws',
    () => ({
      get status(): number {
        throw new Error('no')
      },
    }),
  ],
  [
    'a toString that throws',
    () => ({
      toString() {
        throw new Error('no')
      },
    }),
  ],
  [
    'a proxy that throws',
    () =>
      new Proxy(new Error('x'), {
        get() {
          throw new Error('no')
        },
      }),
  ],
]

describe('what cannot be read', () => {
  test.each(unreadable)('thrown as %s holds up its own lane only, and is retried', async (_, thrown) => {
    const sent: string[] = []
    const persistence = createPersistence({
      strategies: {
        note: {
          persistCreate({ id }: { id: string }) {
            if (id === 'bad') throw thrown()
            sent.push(id)
            return []
          },
          persistUpdate: () => [],
          persistDelete: () => [],
        },
      },
      options: { storage: memoryStore() },
    })
    persistence.created('note', { id: 'bad' })
    persistence.created('note', { id: 'good' })
    await persistence.idle()
    expect(sent).toEqual(['good'])
    expect(await persistence.metadata('note', 'bad')).toMatchObject({ syncStatus: 'pending', retryCount: 1 })
    await persistence.close()
  })

  test('of a receipt, the write counts as persisted all the same', async () => {
    const persistence = createPersistence<{ note: Note }>({
      strategies: {
        note: {
          persistCreate: async () => ({
            get version(): number {
              throw new Error('no')
            },
          }),
          persistUpdate: () => [],
          persistDelete: () => [],
        },
      },
      options: { storage: memoryStore() },
    })
    const { settled } = persistence.created('note', { id: 'n1' })
    expect((await settled).status).toBe('persisted')
    await persistence.close()
  })

  test('of an entity, is refused at the door by a TypeError', async () => {
    const persistence = createPersistence<{ note: Note }>({
      strategies: { note: { persistCreate: () => [], persistUpdate: () => [], persistDelete: () => [] } },
      options: { storage: memoryStore() },
    })
    const note = {
      id: 'n1',
      get text(): string {
        throw new Error('no')
      },
    }
    expect(() => persistence.created('note', note)).toThrow(TypeError)
    await persistence.close()
  })
})

describe('an owner whose name holds a separator', () => {
  test('never meets the tasks of another', async () => {
    const storage = memoryStore()
    const owners: string[] = []
    const strategies = {
      note: {
        persistCreate(_: unknown, { owner }: { owner: string }) {
          owners.push(owner)
          return []
        },
        persistUpdate: () => [],
        persistDelete: () => [],
      },
    }
    const first = createPersistence<{ note: Note }>({ strategies, options: { storage, name: 'a/b', owner: 'c' } })
    await first.pause()
    await first.created('note', { id: 'n1' }).durable
    await first.close()
    const second = createPersistence<{ note: Note }>({ strategies, options: { storage, name: 'a', owner: 'b/c' } })
    await second.idle()
    expect(owners).toEqual([])
    await second.close()
  })
})
