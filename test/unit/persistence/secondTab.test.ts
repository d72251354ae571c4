import { memoryStore, type OutboxStatus } from 'rx-outbox'
import { NEVER } from 'rxjs'
import { expect, test } from 'vitest'
import { fakeChannels } from '../../support/fakeChannels.ts'
import { fakeLocks } from '../../support/fakeLocks.ts'
import { hour, minute, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

useFakeTime()

/** Two tabs share a store and a lock manager. */
function shared() {
  return { storage: memoryStore(), locks: fakeLocks(), channel: fakeChannels().open }
}

function statusOf(persistence: ReturnType<typeof open>): OutboxStatus | undefined {
  let last: OutboxStatus | undefined
  persistence.status$.subscribe((status) => (last = status)).unsubscribe()
  return last
}

test('the second tab does not send: the first takes its tasks in, as soon as they are stored', async () => {
  const tabs = shared()
  const [one, two] = [new Remote(), new Remote()]
  const first = open(one, tabs)
  await now()
  const second = open(two, tabs)
  await now()
  const receipt = second.created('note', note('n2'))
  first.created('note', note('n1'))
  await receipt.durable
  await pass(200)
  expect([one.log, two.log]).toEqual([['create n1 text', 'create n2 text'], []])
  expect([statusOf(first)?.leader, statusOf(second)?.leader]).toEqual([true, false])
  expect(await receipt.settled).toMatchObject({ status: 'persisted', sent: true })
  expect(statusOf(second)).toMatchObject({ waiting: 0, pending: 0 })
  await second.idle()
})

test('tabs that do not hear each other find what the others wrote all the same', async () => {
  const tabs = { storage: memoryStore(), locks: fakeLocks(), channel: null }
  const [one, two] = [new Remote(), new Remote()]
  open(one, tabs)
  await now()
  const second = open(two, tabs)
  const receipt = second.created('note', note('n2'))
  await receipt.durable
  await pass(2 * minute)
  expect([one.log, two.log]).toEqual([['create n2 text'], []])
})

test('its tasks are delivered when it leads, and its receipts settle', async () => {
  const tabs = { ...shared(), online$: network(false) }
  const [one, two] = [new Remote(), new Remote()]
  const first = open(one, tabs)
  await now()
  const second = open(two, tabs)
  const receipt = second.created('note', note('n2', 'a'))
  second.updated('note', note('n2', 'b'))
  await receipt.durable
  await first.close()
  tabs.online$.next(true)
  await pass(200)
  expect(statusOf(second)?.leader).toBe(true)
  expect([one.log, two.log]).toEqual([[], ['create n2 b']])
  expect(await receipt.settled).toMatchObject({ status: 'persisted' })
  await second.idle()
  expect((await tabs.storage.list('rx-outbox/')).toSorted()).toEqual(['leader'])
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
  const first = open(new Remote(), { ...tabs, online$: network(false) })
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

test('what each of three tabs wrote offline goes in the order in which it was taken in, whoever leads', async () => {
  const tabs = shared()
  const online$ = network(false)
  const remotes = [new Remote(), new Remote(), new Remote()]
  const opened = []
  for (const remote of remotes) {
    opened.push(open(remote, { ...tabs, online$ }))
    await now()
  }
  for (const [i, tab] of opened.entries()) {
    await tab.created('note', note(`n${i}`)).durable
    await now()
  }
  await opened[0]?.close()
  await now()
  online$.next(true)
  await now()
  expect(remotes.map(({ log }) => log)).toEqual([[], ['create n0 text', 'create n1 text', 'create n2 text'], []])
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
