import { memoryStore, type OutboxStatus } from 'rx-outbox'
import { NEVER } from 'rxjs'
import { expect, test } from 'vitest'
import { fakeChannels } from '../../support/fakeChannels.ts'
import { fakeLocks } from '../../support/fakeLocks.ts'
import { freezable } from '../../support/freezable.ts'
import { virtualTime } from '../../support/virtualTime.ts'
import type { LockManagerLike } from '../../../lib/api.ts'
import { createPersistence, type Options } from '../../../lib/index.ts'
import type { Entities } from '../../support/opened.ts'
import { inTurn, accepts, note, Remote } from '../../support/remote.ts'

/** Tabs in virtual time, each of which can be frozen: its timers, locks and files wait until it is thawed. */
function tabsInTime() {
  const time = virtualTime()
  const [storage, locks, channels] = [memoryStore(), fakeLocks(), fakeChannels()]
  return {
    time,
    storage,
    locks,
    open: (remote: Remote, options: Options<Entities> = {}) => {
      const frost = freezable({ scheduler: time.scheduler, locks, channel: channels.open, storage })
      const persistence = createPersistence<Entities>({
        strategies: { note: remote, tag: remote },
        options: { ...frost.options, ...options },
      })
      const statuses: OutboxStatus[] = []
      persistence.status$.subscribe((status) => statuses.push(status))
      return { ...persistence, freeze: frost.freeze, thaw: frost.thaw, status: () => statuses.at(-1) }
    },
  }
}

const second = 1_000

test('a frozen leader is replaced after 90 s, and only what it had begun goes out twice, with the same key', async () => {
  const { time, open } = tabsInTime()
  const one = new Remote(inTurn(accepts, () => NEVER))
  const first = open(one)
  await time.settle()
  const two = new Remote()
  const other = open(two)
  await time.settle()
  for (let i = 0; i < 5; i++) first.created('note', note(`n${i}`))
  await time.pass(second)
  expect(one.log).toEqual(['create n0 text', 'create n1 text'])
  first.freeze()
  await time.pass(85 * second)
  expect(two.log).toEqual([])
  await time.pass(40 * second)
  expect(other.status()).toMatchObject({ leader: true })
  expect(two.log).toEqual(['create n1 text', 'create n2 text', 'create n3 text', 'create n4 text'])
  expect(two.calls[0]?.attempt.idempotencyKey).toBe(one.calls[1]?.attempt.idempotencyKey)
})

test('when it wakes it sends nothing more, follows, and what it takes in then is sent by the new leader', async () => {
  const { time, open, storage } = tabsInTime()
  const one = new Remote(inTurn(accepts, () => NEVER))
  const first = open(one)
  await time.settle()
  const two = new Remote()
  const other = open(two)
  await time.settle()
  for (let i = 0; i < 3; i++) first.created('note', note(`n${i}`))
  await time.pass(second)
  first.freeze()
  await time.pass(200 * second)
  // What the app itself does as it wakes, before any message has reached the library.
  const receipt = first.created('note', note('woken'))
  first.thaw()
  await receipt.durable
  await time.pass(120 * second)
  expect(one.log).toHaveLength(2)
  expect(two.log).toEqual(['create n1 text', 'create n2 text', 'create woken text'])
  expect(await receipt.settled).toMatchObject({ status: 'persisted' })
  expect([first.status()?.leader, other.status()?.leader]).toEqual([false, true])
  expect(first.status()).toMatchObject({ waiting: 0, pending: 0, processing: 0 })
  await time.until(other.close())
  await time.pass(second)
  expect(first.status()?.leader).toBe(true)
  expect((await storage.list('rx-outbox/')).filter((name) => name.startsWith('leader'))).toEqual(['leader.2'])
})

test('a leader that had nothing left to write when it was frozen loses nothing of what it takes in as it wakes', async () => {
  const { time, open } = tabsInTime()
  const first = open(new Remote())
  await time.settle()
  const two = new Remote()
  const other = open(two)
  first.created('note', note('before'))
  await time.pass(second)
  first.freeze()
  await time.pass(200 * second)
  expect(other.status()?.leader).toBe(true)
  const receipt = first.created('note', note('woken'))
  first.thaw()
  await time.pass(120 * second)
  expect(two.log).toEqual(['create woken text'])
  expect(await receipt.settled).toMatchObject({ status: 'persisted' })
})

test('what it writes as it wakes stays in order, though its successor hears of the last change first', async () => {
  const { time, open, locks } = tabsInTime()
  const first = open(new Remote())
  await time.settle()
  const two = new Remote()
  // A lock that is let go is granted late: by then messages have come.
  const late: LockManagerLike = {
    request: (name, how, work) =>
      locks.request(name, how, async (lock) => {
        if (lock && name.startsWith('rx-outbox:journal:leader:') && !how.ifAvailable)
          await new Promise<void>((granted) => time.scheduler.schedule(granted, 30 * second))
        return work(lock)
      }),
  }
  const other = open(two, { locks: late })
  first.created('note', note('n1', 'made'))
  await time.pass(second)
  first.freeze()
  await time.pass(200 * second)
  expect(other.status()?.leader).toBe(true)
  const woken = first.updated('note', note('n1', 'as it wakes'))
  first.thaw()
  await woken.durable
  first.updated('note', note('n1', 'as it follows'))
  await time.pass(120 * second)
  expect(two.log.at(-1)).toBe('update n1 as it follows')
  expect(first.status()).toMatchObject({ leader: false, waiting: 0, pending: 0 })
})

test('a leader that answers is never replaced, however long nothing happens', async () => {
  const { time, open } = tabsInTime()
  const first = open(new Remote())
  await time.settle()
  const other = open(new Remote())
  await time.pass(24 * 3_600 * second)
  expect([first.status()?.leader, other.status()?.leader]).toEqual([true, false])
})

test('a follower that was frozen itself calls before it takes the lead', async () => {
  const { time, open } = tabsInTime()
  const first = open(new Remote())
  await time.settle()
  const other = open(new Remote())
  await time.settle()
  other.freeze()
  await time.pass(600 * second)
  other.thaw()
  await time.pass(600 * second)
  expect([first.status()?.leader, other.status()?.leader]).toEqual([true, false])
})

test('a leader that came to it in its turn hears no leader, and does not take the lead from itself', async () => {
  const { time, open } = tabsInTime()
  const first = open(new Remote())
  await time.settle()
  const remote = new Remote(() => NEVER)
  const other = open(remote, { attemptTimeout: 1_000 * second })
  await time.settle()
  await time.until(first.close())
  other.created('note', note('n1'))
  await time.pass(300 * second)
  expect(remote.log).toEqual(['create n1 text'])
})

test('what a tab wrote as the leader that it no longer was comes before what it wrote as a follower', async () => {
  const { time, open } = tabsInTime()
  const one = new Remote()
  const first = open(one)
  await time.settle()
  const other = open(new Remote())
  await time.settle()
  first.freeze()
  await time.pass(200 * second)
  expect(other.status()).toMatchObject({ leader: true })
  // Who leads is frozen as well, and takes nothing in.
  other.freeze()
  const earlier = first.created('note', note('n1', 'earlier'))
  first.thaw()
  await earlier.durable
  await time.pass(second)
  expect(first.status()).toMatchObject({ leader: false })
  first.updated('note', note('n1', 'later'))
  await time.pass(200 * second)
  expect(first.status()).toMatchObject({ leader: true, pending: 0, waiting: 0 })
  expect(one.log).toEqual(['create n1 later'])
})
