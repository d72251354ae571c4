import { ClosedError, memoryStore, StorageError } from 'rx-outbox'
import { expect, test } from 'vitest'
import { hour, minute, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { heard, network, open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

useFakeTime()

const never = () => new Promise<never>(() => undefined)

test('an append that never settles makes no promise, and is told', async () => {
  const storage = memoryStore()
  const { append } = storage
  const remote = new Remote()
  const persistence = open(remote, { storage })
  const degraded = heard(persistence.bus, 'storage:degraded')
  await persistence.idle()
  storage.append = never
  const receipt = persistence.created('note', note('n1'))
  let ended = ''
  receipt.durable.then(
    () => (ended = 'stored'),
    () => (ended = 'not stored'),
  )
  await pass(hour)
  expect(ended).toBe('')
  expect(remote.calls).toEqual([])
  expect(degraded).toHaveLength(1)
  expect(degraded[0]?.payload.error).toBeInstanceOf(StorageError)
  storage.append = append
  const closed = persistence.close()
  await pass(minute)
  await closed
  await expect(receipt.durable).rejects.toThrow(ClosedError)
  expect(await receipt.settled).toEqual({ status: 'closed' })
})

test('one that settles after all ends the trouble, and everything goes on', async () => {
  const storage = memoryStore()
  const { append } = storage
  const remote = new Remote()
  const persistence = open(remote, { storage })
  const states: string[] = []
  persistence.status$.subscribe((status) => {
    if (states.at(-1) !== status.storage.state) states.push(status.storage.state)
  })
  await persistence.idle()
  storage.append = async (...args) => {
    storage.append = append
    await new Promise<void>((done) => void setTimeout(done, 5 * minute))
    await append(...args)
  }
  const receipts = ['n1', 'n2'].map((id) => persistence.created('note', note(id)))
  await pass(minute)
  const later = persistence.created('note', note('n3'))
  await pass(5 * minute)
  await Promise.all([...receipts, later].map(({ settled }) => settled))
  expect(remote.log).toEqual(['create n1 text', 'create n2 text', 'create n3 text'])
  expect(states).toEqual(['opening', 'ok', 'degraded', 'ok'])
})

test('what waits only in memory is not attempted while the store hangs; the app goes on', async () => {
  const storage = memoryStore()
  const online$ = network(false)
  const remote = new Remote()
  const persistence = open(remote, { storage, online$ })
  await persistence.created('note', note('n1')).durable
  storage.append = never
  online$.next(true)
  for (let i = 2; i < 10; i++) persistence.created('note', note(`n${i}`))
  await pass(hour)
  expect(remote.calls).toEqual([])
  expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'pending' })
  void persistence.close()
  await pass(minute)
})

test('a read that never settles at the start is told, and close does not wait for ever', async () => {
  const storage = memoryStore()
  storage.read = never
  const persistence = open(new Remote(), { storage })
  const degraded = heard(persistence.bus, 'storage:degraded')
  const receipt = persistence.created('note', note('n1'))
  await pass(hour)
  expect(degraded).toHaveLength(1)
  const closed = persistence.close()
  await pass(minute)
  await closed
  await expect(receipt.durable).rejects.toThrow(ClosedError)
})

test('close right away is not held up by it either', async () => {
  const storage = memoryStore()
  storage.read = never
  const persistence = open(new Remote(), { storage })
  await now()
  const closed = persistence.close()
  await pass(minute)
  await expect(closed).resolves.toBeUndefined()
})
