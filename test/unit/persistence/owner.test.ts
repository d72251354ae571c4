import { createEventBus, memoryStore, NoOwnerError } from 'rx-outbox'
import { BehaviorSubject, NEVER, of, Subject } from 'rxjs'
import { expect, test } from 'vitest'
import { hour, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { type Entities, heard, network, open } from '../../support/opened.ts'
import { accepts, hangs, note, Remote } from '../../support/remote.ts'

useFakeTime()

/** Who sent what. */
function senders(remote: Remote): string[] {
  return remote.calls.map(({ id, attempt }) => `${attempt.owner}: ${id}`)
}

test('a fixed owner is named in each attempt and task', async () => {
  const remote = new Remote()
  const persistence = open(remote, { owner: 'ada' })
  const enqueued = heard(persistence.bus, 'queue:task-enqueued')
  persistence.created('note', note('n1'))
  await now()
  expect(senders(remote)).toEqual(['ada: n1'])
  expect(enqueued).toMatchObject([{ payload: { task: { owner: 'ada' } } }])
})

test('before the first value events wait, from the bus and from the direct door, in order', async () => {
  const owner = new Subject<string | null>()
  const bus = createEventBus<Entities>()
  const remote = new Remote()
  const persistence = open(remote, { owner, bus })
  bus.emit('entity:created', { entityType: 'note', data: note('n1') })
  const receipt = persistence.created('note', note('n2'))
  bus.emit('entity:created', { entityType: 'note', data: note('n3') })
  await pass(hour)
  expect(remote.calls).toEqual([])
  owner.next('ada')
  await now()
  await receipt.durable
  expect(senders(remote)).toEqual(['ada: n1', 'ada: n2', 'ada: n3'])
})

test('null is nobody: emit and the direct door refuse, and say why', async () => {
  const bus = createEventBus<Entities>()
  const persistence = open(new Remote(), { owner: new BehaviorSubject(null), bus })
  expect(() => bus.emit('entity:created', { entityType: 'note', data: note('n1') })).toThrow(NoOwnerError)
  expect(() => persistence.created('note', note('n1'))).toThrow(NoOwnerError)
  await persistence.idle()
})

test('what waited for an owner and got nobody is refused: the receipt says so, the bus event is reported', async () => {
  const owner = new Subject<string | null>()
  const persistence = open(new Remote(), { owner })
  const errors: unknown[] = []
  persistence.errors$.subscribe((error) => errors.push(error))
  const receipt = persistence.created('note', note('n1'))
  persistence.bus.emit('entity:created', { entityType: 'note', data: note('n2') })
  owner.next(null)
  await expect(receipt.durable).rejects.toThrow(NoOwnerError)
  expect(await receipt.settled).toEqual({ status: 'not-stored' })
  expect(errors).toHaveLength(1)
  expect(errors[0]).toBeInstanceOf(NoOwnerError)
  owner.next('ada')
  await now()
})

test('a switch aborts what is in flight, and nothing of one owner is sent as another', async () => {
  const owner = new BehaviorSubject<string | null>('ada')
  const remote = new Remote(hangs)
  const persistence = open(remote, { owner })
  persistence.created('note', note('n1'))
  persistence.created('note', note('n2'))
  await now()
  expect(senders(remote)).toEqual(['ada: n1'])
  remote.answer = accepts
  owner.next('bob')
  expect(remote.calls[0]?.attempt.signal.aborted).toBe(true)
  persistence.created('note', note('n3'))
  await pass(hour)
  expect(senders(remote)).toEqual(['ada: n1', 'bob: n3'])
})

test('switching back continues, with the key that was used before', async () => {
  const owner = new BehaviorSubject<string | null>('ada')
  const remote = new Remote(hangs)
  const persistence = open(remote, { owner })
  const receipt = persistence.created('note', note('n1'))
  await now()
  owner.next(null)
  await pass(hour)
  remote.answer = accepts
  owner.next('ada')
  await now()
  expect(senders(remote)).toEqual(['ada: n1', 'ada: n1'])
  expect(remote.calls[1]?.attempt.idempotencyKey).toBe(remote.calls[0]?.attempt.idempotencyKey)
  expect(await receipt.settled).toMatchObject({ status: 'persisted' })
})

test('an event belongs to the owner at the moment of emit, also right before a switch', async () => {
  const owner = new BehaviorSubject<string | null>('ada')
  const online$ = network(false)
  const remote = new Remote()
  const storage = memoryStore()
  const persistence = open(remote, { owner, online$, storage })
  const receipt = persistence.created('note', note('n1'))
  owner.next('bob')
  persistence.created('note', note('n2'))
  owner.next('ada')
  persistence.created('note', note('n3'))
  await receipt.durable
  await now()
  online$.next(true)
  await now()
  expect(senders(remote)).toEqual(['ada: n1', 'ada: n3'])
  owner.next('bob')
  await now()
  expect(senders(remote)).toEqual(['ada: n1', 'ada: n3', 'bob: n2'])
})

test('switching to and fro at once opens each owner once, and loses nothing', async () => {
  const owner = new BehaviorSubject<string | null>('ada')
  const remote = new Remote()
  const persistence = open(remote, { owner })
  const receipts = [persistence.created('note', note('n0'))]
  for (const [i, name] of ['bob', 'ada', 'bob', 'ada', 'bob', 'ada'].entries()) {
    owner.next(name)
    receipts.push(persistence.created('note', note(`n${i + 1}`)))
  }
  await pass(hour)
  expect(senders(remote)).toEqual(['ada: n0', 'ada: n2', 'ada: n4', 'ada: n6'])
  owner.next('bob')
  await pass(hour)
  expect(senders(remote).slice(4)).toEqual(['bob: n1', 'bob: n3', 'bob: n5'])
  await Promise.all(receipts.map(({ durable }) => durable))
})

test('metadata, dead letters and counts are those of the owner', async () => {
  const owner = new BehaviorSubject<string | null>('ada')
  const persistence = open(new Remote(() => of({ backendId: 'b1' })), { owner })
  const seen: unknown[] = []
  persistence.metadata$('note', 'n1').subscribe((metadata) => seen.push(metadata?.backendId))
  persistence.created('note', note('n1'))
  await now()
  expect(seen.at(-1)).toBe('b1')
  owner.next('bob')
  await now()
  expect(seen.at(-1)).toBeUndefined()
  expect(await persistence.metadata('note')).toEqual(new Map())
  owner.next('ada')
  await now()
  expect(seen.at(-1)).toBe('b1')
})

test('two outboxes of different names share a store and see nothing of each other', async () => {
  const storage = memoryStore()
  const remote = new Remote(() => NEVER)
  const one = open(remote, { storage, name: 'one' })
  const two = open(remote, { storage, name: 'two' })
  await one.created('note', note('n1')).durable
  await now()
  expect(await two.metadata('note')).toEqual(new Map())
  expect(remote.calls).toHaveLength(1)
})

test('after close a new value of owner opens nothing', async () => {
  const owner = new BehaviorSubject<string | null>('ada')
  const remote = new Remote(hangs)
  const storage = memoryStore()
  const persistence = open(remote, { owner, storage })
  await persistence.created('note', note('n1')).durable
  await now()
  owner.next('bob')
  owner.next('ada')
  await persistence.close()
  owner.next('bob')
  await pass(hour)
  const states: string[] = []
  persistence.status$.subscribe(({ phase }) => states.push(phase))
  expect(states).toEqual(['closed'])
  expect(remote.calls).toHaveLength(1)
  expect(owner.observed).toBe(false)
})
