import { createEventBus, createPersistence, memoryStore, type PersistenceStrategy } from 'rx-outbox'
import { BehaviorSubject, firstValueFrom, queueScheduler } from 'rxjs'
import { describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { now, useFakeTime } from '../../support/fakeTime.ts'
import { open } from '../../support/opened.ts'
import { note, type Note, Remote } from '../../support/remote.ts'

useFakeTime()

/** Opens an outbox with what the types would not allow. */
function openWith(options: object, strategies: object = { note: new Remote() }) {
  const config = { strategies, options: { storage: memoryStore(), ...options } }
  return Reflect.apply(createPersistence<{ note: Note }>, undefined, [config])
}

describe('a wrong option throws at once, and is named', () => {
  test.each<[string, unknown]>([
    ['name', ''],
    ['owner', 7],
    ['storage', 7],
    ['durability', 'eventual'],
    ['workerUrl', ''],
    ['concurrency', 0],
    ['concurrency', 1.5],
    ['priority', 'high'],
    ['maxOvertakes', -1],
    ['maxAge', -5],
    ['quiet', -1],
    ['attemptTimeout', 0],
    ['retryConfig', { maxRetries: -1 }],
    ['retryConfig', { initialDelay: '3 min' }],
    ['retryConfig', { retries: 3 }],
    ['retryConfigByEntityType', { note: { multiplier: 0 } }],
    ['retryConfigByEntityType', { nobody: {} }],
    ['jitter', 2],
    ['maxRetryAfter', -1],
    ['breaker', true],
    ['breaker', { failures: 0 }],
    ['operators', { note: { events: 'all' } }],
    ['operators', { nobody: {} }],
    ['idOf', 'id'],
    ['schemas', { note: {} }],
    ['schemas', { nobody: z.object({}) }],
    ['schemaVersion', 0],
    ['apply', { note: true }],
    ['apply', { nobody: () => {} }],
    ['pull', true],
    ['pull', { limit: 0 }],
    ['pull', { interval: 10 }],
    ['pull', { onstart: true }],
    ['online$', true],
    ['scheduler', {}],
    ['random', 0.5],
    ['createId', 'id'],
    ['locks', 'none'],
    ['bus', {}],
    ['concurency', 2],
  ])('%s: %o', (name, value) => {
    const attempt = () => openWith({ [name]: value })
    expect(attempt).toThrow(TypeError)
    expect(attempt).toThrow(
      new RegExp(`^Option ${name.replace('$', '\\$')}\\b|^Option ${name.replace('$', '\\$')}[.:]`),
    )
  })

  test('a field of it, with its path', () => {
    expect(() => openWith({ retryConfigByEntityType: { note: { maxRetries: -1 } } })).toThrow(
      /retryConfigByEntityType\.note\.maxRetries/,
    )
  })
})

test('durability strict is a wish: where the store cannot do it, the status says what there is', async () => {
  const persistence = open(new Remote(), { storage: memoryStore(), durability: 'strict' })
  await persistence.idle()
  const { storage } = await firstValueFrom(persistence.status$)
  expect(storage).toEqual({ kind: 'memory', durability: 'none', survives: 'nothing', state: 'ok' })
})

test('without a store of any kind there is memory, and the status says why', async () => {
  const persistence = open(new Remote(), { storage: undefined })
  await persistence.idle()
  const { storage } = await firstValueFrom(persistence.status$)
  expect(storage).toEqual({
    kind: 'memory',
    durability: 'none',
    survives: 'nothing',
    state: 'ok',
    why: 'There is no OPFS here; it needs HTTPS. There is no IndexedDB here.',
  })
})

test.each<[string, object]>([
  ['strategies.note.persistDelete', { note: { persistCreate() {}, persistUpdate() {} } }],
  ['strategies.note.persistCreate', { note: undefined }],
  ['strategies.note.keyWindow', { note: Object.assign(new Remote(), { keyWindow: -1 }) }],
])('a wrong strategy is named: %s', (path, strategies) => {
  expect(() => openWith({}, strategies)).toThrow(path)
})

test('a bus has one outbox at a time, and gets the next when that is closed', async () => {
  const bus = createEventBus<{ note: Note; tag: Note }>()
  const first = open(new Remote(), { bus })
  expect(() => open(new Remote(), { bus })).toThrow(/^Option bus/)
  await first.close()
  expect(open(new Remote(), { bus }).bus).toBe(bus)
})

test('without a bus one is made', async () => {
  const remote = new Remote()
  const persistence = open(remote)
  persistence.bus.emit('entity:created', { entityType: 'note', data: note('n1') })
  await now()
  expect(remote.log).toEqual(['create n1 text'])
})

test('ids, chance, time and order are handed in', async () => {
  let ids = 0
  const remote = new Remote()
  const persistence = open(remote, {
    createId: () => `id-${++ids}`,
    online$: new BehaviorSubject(true),
    priority: ({ id }) => Number(id.slice(1)),
    maxOvertakes: Infinity,
  })
  for (const id of ['n1', 'n3', 'n2']) persistence.created('note', note(id))
  await now()
  expect(remote.log).toEqual(['create n3 text', 'create n2 text', 'create n1 text'])
  expect(remote.calls.every(({ attempt }) => attempt.taskId.startsWith('id-'))).toBe(true)
})

test('a scheduler of RxJS that is not the default is taken', () => {
  expect(() => openWith({ scheduler: queueScheduler }).close()).not.toThrow()
})

test('idOf says where the id is', async () => {
  const strategy = { persistCreate: async () => ({}), persistUpdate: async () => ({}), persistDelete: async () => ({}) }
  const persistence = createPersistence<{ car: { plate: string } }>({
    strategies: { car: strategy satisfies PersistenceStrategy<{ plate: string }> },
    options: { storage: memoryStore(), idOf: ({ plate }) => plate },
  })
  const receipt = persistence.created('car', { plate: 'B-RX 1' })
  expect(await receipt.settled).toMatchObject({ id: 'B-RX 1', status: 'persisted' })
  await persistence.close()
})

describe('schemas', () => {
  const schemas = { note: z.object({ id: z.string(), text: z.string().check(z.minLength(1)) }) }

  test('check at the door, synchronously, and name the path', () => {
    const persistence = open(new Remote(), { schemas })
    expect(() => persistence.created('note', note('n1', ''))).toThrow(/^note\.text/)
    expect(() => persistence.bus.emit('entity:updated', { entityType: 'note', data: note('n1', '') })).toThrow(
      /^note\.text/,
    )
    expect(() => persistence.created('tag', note('t1', ''))).not.toThrow()
    expect(() => persistence.deleted('note', 'n1')).not.toThrow()
  })

  test('never change what is stored: fields that they do not know stay', async () => {
    const seen: unknown[] = []
    const remote = Object.assign(new Remote(), {
      persistCreate: ({ data }: { data: unknown }) => {
        seen.push(data)
        return Promise.resolve({})
      },
    })
    const persistence = open(remote, { schemas })
    persistence.created('note', Object.assign(note('n1'), { unknown: 7 }))
    await now()
    expect(seen).toEqual([{ id: 'n1', text: 'text', unknown: 7 }])
  })

  test('that are asynchronous say so', () => {
    const schema = {
      '~standard': { version: 1 as const, vendor: 'test', validate: async (value: unknown) => ({ value }) },
    }
    const persistence = open(new Remote(), { schemas: { note: schema } })
    expect(() => persistence.created('note', note('n1'))).toThrow(/schemas\.note.*synchronous/)
  })
})

test('schemaVersion is kept with each task and told to its attempts, also when the app has moved on', async () => {
  const storage = memoryStore()
  const remote = new Remote(() => new Promise(() => undefined))
  const first = open(remote, { storage, schemaVersion: 3 })
  first.created('note', note('n1'))
  await now()
  await first.close()
  open(remote, { storage, schemaVersion: 4 })
  await now()
  expect(remote.calls.map(({ attempt }) => attempt.schemaVersion)).toEqual([3, 3])
})
