import { memoryStore, type OutboxStatus } from 'rx-outbox'
import { NEVER } from 'rxjs'
import { expect, test } from 'vitest'
import { fakeLocks } from '../../support/fakeLocks.ts'
import { hour, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

useFakeTime()

/** Two tabs share a store and a lock manager. */
function shared() {
  return { storage: memoryStore(), locks: fakeLocks() }
}

function statusOf(persistence: ReturnType<typeof open>): OutboxStatus | undefined {
  let last: OutboxStatus | undefined
  persistence.status$.subscribe((status) => (last = status)).unsubscribe()
  return last
}

test('the second tab does not send; its tasks are stored', async () => {
  const tabs = shared()
  const [one, two] = [new Remote(), new Remote()]
  const first = open(one, tabs)
  await now()
  const second = open(two, tabs)
  const receipt = second.created('note', note('n2'))
  await receipt.durable
  first.created('note', note('n1'))
  await pass(hour)
  expect([one.log, two.log]).toEqual([['create n1 text'], []])
  expect([statusOf(first)?.leader, statusOf(second)?.leader]).toEqual([true, false])
  expect(statusOf(second)).toMatchObject({ waiting: 1, pending: 0 })
  await second.idle()
})

test('its tasks are delivered when it leads, and its receipts settle', async () => {
  const tabs = shared()
  const [one, two] = [new Remote(), new Remote()]
  const first = open(one, tabs)
  await now()
  const second = open(two, tabs)
  const receipt = second.created('note', note('n2', 'a'))
  second.updated('note', note('n2', 'b'))
  await receipt.durable
  await first.close()
  await now()
  expect(statusOf(second)?.leader).toBe(true)
  expect(two.log).toEqual(['create n2 b'])
  expect(await receipt.settled).toMatchObject({ status: 'persisted' })
  await second.idle()
  expect((await tabs.storage.list('rx-outbox/')).sort()).toEqual(['leader'])
})

test('it continues what the first one left, in order and with the same keys', async () => {
  const tabs = shared()
  const one = new Remote(() => NEVER)
  const first = open(one, tabs)
  first.created('note', note('n1'))
  await now()
  first.updated('note', note('n1', 'later'))
  first.created('note', note('n3'))
  await now()
  const two = new Remote()
  open(two, tabs)
  await now()
  await first.close()
  await now()
  expect(two.log).toEqual(['create n1 text', 'update n1 later', 'create n3 text'])
  expect(two.calls[0]?.attempt.idempotencyKey).toBe(one.calls[0]?.attempt.idempotencyKey)
})

test('what it left behind is imported by the next leader', async () => {
  const tabs = shared()
  const first = open(new Remote(), tabs)
  await now()
  const second = open(new Remote(), tabs)
  await second.created('note', note('n2')).durable
  await second.close()
  await first.close()
  const remote = new Remote()
  const third = open(remote, tabs)
  await now()
  await third.idle()
  expect(remote.log).toEqual(['create n2 text'])
  expect(await tabs.storage.list('rx-outbox/')).toEqual(['leader'])
})

test('a third tab takes nothing over while the second lives', async () => {
  const tabs = shared()
  const first = open(new Remote(), tabs)
  await now()
  const online$ = network(false)
  const two = new Remote()
  const second = open(two, { ...tabs, online$ })
  await second.created('note', note('n2')).durable
  const three = new Remote()
  const third = open(three, tabs)
  await third.created('note', note('n3')).durable
  await first.close()
  await pass(hour)
  // The second leads, offline.
  expect([two.log, three.log]).toEqual([[], []])
  online$.next(true)
  await now()
  expect(two.log).toEqual(['create n2 text'])
  await second.close()
  await now()
  expect(three.log).toEqual(['create n3 text'])
})

test('commands of the second tab wait until it leads', async () => {
  const tabs = shared()
  const first = open(new Remote(), { ...tabs, online$: network(false) })
  const { taskId } = first.created('note', note('n1'))
  await now()
  const remote = new Remote()
  const second = open(remote, tabs)
  await now()
  let isDone = false
  const discarded = second.discard(taskId).then(() => (isDone = true))
  await pass(hour)
  expect(isDone).toBe(false)
  await second.pause()
  await first.close()
  await discarded
  await second.resume()
  await now()
  expect(remote.log).toEqual([])
})

test('events of the moment in which a tab becomes the leader are not lost', async () => {
  const tabs = shared()
  const first = open(new Remote(), tabs)
  await now()
  const two = new Remote()
  const second = open(two, tabs)
  await now()
  const closed = first.close()
  const receipts = []
  for (let i = 0; i < 20; i++) {
    receipts.push(second.created('note', note(`n${i}`)))
    await Promise.resolve()
  }
  await closed
  await now()
  await Promise.all(receipts.map(({ durable }) => durable))
  expect(two.log).toEqual(receipts.map((_, i) => `create n${i} text`))
})

test('no lock is kept by a tab that has closed', async () => {
  const tabs = shared()
  const first = open(new Remote(), tabs)
  await now()
  const second = open(new Remote(), tabs)
  await now()
  await second.close()
  await first.close()
  await now()
  expect(tabs.locks.held()).toEqual([])
})

test('two owners do not wait for each other', async () => {
  const tabs = shared()
  const [ada, bob] = [new Remote(), new Remote()]
  open(ada, { ...tabs, owner: 'ada' }).created('note', note('n1'))
  open(bob, { ...tabs, owner: 'bob' }).created('note', note('n2'))
  await now()
  expect([ada.log, bob.log]).toEqual([['create n1 text'], ['create n2 text']])
})

test('a store that fails while a tab takes over loses nothing of its own', async () => {
  const tabs = shared()
  const first = open(new Remote(), tabs)
  await now()
  const remote = new Remote()
  const second = open(remote, tabs)
  await second.created('note', note('n2')).durable
  const { remove } = tabs.storage
  let refusals = 3
  tabs.storage.remove = (...args) => (refusals-- > 0 ? Promise.reject(new Error('busy')) : remove(...args))
  await first.close()
  await pass(hour)
  expect(remote.log).toEqual(['create n2 text'])
  expect(await tabs.storage.list('rx-outbox/')).toEqual(['leader'])
})
