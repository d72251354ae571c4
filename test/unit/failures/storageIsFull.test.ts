import { memoryStore, StorageError } from 'rx-outbox'
import { expect, test } from 'vitest'
import { hour, now, pass, second, useFakeTime } from '../../support/fakeTime.ts'
import { heard, network, open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

useFakeTime()

/** A store that is full until a test makes room. */
function fullStore() {
  const storage = memoryStore()
  const { append, replace } = storage
  const room = { isFull: false, refused: 0 }
  const guarded =
    <A extends unknown[]>(write: (...args: A) => Promise<void>) =>
    (...args: A) => {
      if (!room.isFull) return write(...args)
      room.refused++
      return Promise.reject(new DOMException('The quota has been exceeded.', 'QuotaExceededError'))
    }
  storage.append = guarded(append)
  storage.replace = guarded(replace)
  return { storage, room }
}

test('an event that could not be stored says so: durable rejects with the cause, and nothing is sent', async () => {
  const { storage, room } = fullStore()
  const remote = new Remote()
  const persistence = open(remote, { storage })
  await persistence.idle()
  room.isFull = true
  const receipt = persistence.created('note', note('n1'))
  const error: unknown = await receipt.durable.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(StorageError)
  expect(Reflect.get(Object(error), 'cause')).toMatchObject({ name: 'QuotaExceededError' })
  expect(await receipt.settled).toEqual({ status: 'not-stored' })
  room.isFull = false
  await pass(hour)
  expect(remote.calls).toEqual([])
  expect(await persistence.metadata('note', 'n1')).toBeUndefined()
})

test('it is loud: storage:degraded once, status$, errors$; and quiet again when writes work', async () => {
  const { storage, room } = fullStore()
  const persistence = open(new Remote(), { storage })
  const degraded = heard(persistence.bus, 'storage:degraded')
  const states: string[] = []
  const errors: unknown[] = []
  persistence.status$.subscribe((status) => {
    if (states.at(-1) !== status.storage.state) states.push(status.storage.state)
  })
  persistence.errors$.subscribe((error) => errors.push(error))
  await persistence.idle()
  room.isFull = true
  persistence.created('note', note('n1'))
  await now()
  persistence.created('note', note('n2'))
  await now()
  expect(degraded).toHaveLength(1)
  expect(degraded[0]?.payload.error).toBeInstanceOf(StorageError)
  expect(errors.length).toBeGreaterThan(0)
  room.isFull = false
  const receipt = persistence.created('note', note('n3'))
  await receipt.durable
  await pass(second)
  expect(states).toEqual(['opening', 'ok', 'degraded', 'ok'])
  expect(await receipt.settled).toMatchObject({ status: 'persisted' })
})

test('a bus event that could not be stored shows on errors$', async () => {
  const { storage, room } = fullStore()
  const persistence = open(new Remote(), { storage })
  await persistence.idle()
  const errors: unknown[] = []
  persistence.errors$.subscribe((error) => errors.push(error))
  room.isFull = true
  persistence.bus.emit('entity:created', { entityType: 'note', data: note('n1') })
  await now()
  expect(errors[0]).toBeInstanceOf(StorageError)
})

test('a mark that cannot be stored keeps its task from being sent, until there is room', async () => {
  const { storage, room } = fullStore()
  const online$ = network(false)
  const remote = new Remote()
  const persistence = open(remote, { storage, online$ })
  await persistence.created('note', note('n1')).durable
  await persistence.idle()
  room.isFull = true
  online$.next(true)
  await pass(10 * second)
  expect(remote.calls).toEqual([])
  room.isFull = false
  await pass(60 * second)
  expect(remote.log).toEqual(['create n1 text'])
})

test('an outcome that cannot be stored is kept and written when there is room: nothing is sent twice', async () => {
  const { storage, room } = fullStore()
  const remote = new Remote(() => {
    room.isFull = true
    return Promise.resolve({})
  })
  const first = open(remote, { storage })
  const receipt = first.created('note', note('n1'))
  expect(await receipt.settled).toMatchObject({ status: 'persisted' })
  await pass(10 * second)
  expect(room.refused).toBeGreaterThan(1)
  room.isFull = false
  await pass(hour)
  await first.close()
  open(remote, { storage })
  await pass(hour)
  expect(remote.calls).toHaveLength(1)
})

test('failed writes are tried again at growing intervals, not in a loop', async () => {
  const { storage, room } = fullStore()
  const persistence = open(
    new Remote(() => {
      room.isFull = true
      return Promise.resolve({})
    }),
    { storage },
  )
  persistence.created('note', note('n1'))
  await pass(hour)
  expect(room.refused).toBeGreaterThan(10)
  expect(room.refused).toBeLessThan(100)
})

test('close does not wait for room', async () => {
  const { storage, room } = fullStore()
  const persistence = open(new Remote(), { storage })
  await persistence.idle()
  room.isFull = true
  const receipt = persistence.created('note', note('n1'))
  await persistence.close()
  await expect(receipt.durable).rejects.toThrow(StorageError)
})

test('in doubt until it was stored: what was durable before the store filled up is there after a restart', async () => {
  const { storage, room } = fullStore()
  const first = open(new Remote(), { storage, online$: network(false) })
  const stored = ['n1', 'n2'].map((id) => first.created('note', note(id)))
  await Promise.all(stored.map(({ durable }) => durable))
  room.isFull = true
  first.created('note', note('n3'))
  await now()
  await first.close()
  room.isFull = false
  const remote = new Remote()
  open(remote, { storage })
  await now()
  expect(remote.log).toEqual(['create n1 text', 'create n2 text'])
})
