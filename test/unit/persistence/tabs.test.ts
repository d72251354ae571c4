import { memoryStore, type OutboxStatus, type TaskResult } from 'rx-outbox'
import { BehaviorSubject } from 'rxjs'
import { expect, test } from 'vitest'
import { fakeChannels } from '../../support/fakeChannels.ts'
import { fakeLocks } from '../../support/fakeLocks.ts'
import { minute, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { heard, network, open } from '../../support/opened.ts'
import { accepts, inTurn, note, Remote } from '../../support/remote.ts'
import { AuthError, ConflictError, PermanentError } from '../../../lib/errors.ts'
import { localWins } from '../../../lib/resolvers/localWins.ts'

useFakeTime()

const refuses = () => Promise.reject(new PermanentError('never'))

/** Two tabs: the first one leads. */
async function twoTabs({ remote = new Remote(), online$ = network(true), conflict = {} } = {}) {
  const channels = fakeChannels()
  const tabs = { storage: memoryStore(), locks: fakeLocks(), channel: channels.open, online$, conflict }
  const first = open(remote, tabs)
  await now()
  const silent = new Remote()
  const second = open(silent, tabs)
  await now()
  return { first, second, remote, silent, tabs, channels }
}

function statusOf(persistence: ReturnType<typeof open>): OutboxStatus | undefined {
  let last: OutboxStatus | undefined
  persistence.status$.subscribe((status) => (last = status)).unsubscribe()
  return last
}

test('results and events of a task are told in every tab', async () => {
  const { first, second } = await twoTabs()
  const [one, two]: TaskResult[][] = [[], []]
  first.results$.subscribe((result) => one?.push(result))
  second.results$.subscribe((result) => two?.push(result))
  const events = heard(second.bus, 'queue:task-enqueued', 'queue:task-processing', 'entity:persisted')
  first.created('note', note('n1'))
  second.created('tag', note('t1'))
  await pass(200)
  expect(one?.map(({ id, status }) => `${id} ${status}`)).toEqual(['n1 persisted', 't1 persisted'])
  expect(two?.map(({ id, status }) => `${id} ${status}`)).toEqual(['n1 persisted', 't1 persisted'])
  const names = events.map(({ name, payload }) => `${name} ${'task' in payload ? payload.task.entityId : payload.id}`)
  expect(names.filter((name) => name.startsWith('entity'))).toEqual(['entity:persisted n1', 'entity:persisted t1'])
  expect(names.filter((name) => name.startsWith('queue:task-enq')).toSorted()).toEqual([
    'queue:task-enqueued n1',
    'queue:task-enqueued t1',
  ])
})

test('a conflict that is answered at once is no retry, in no tab', async () => {
  const stale = () =>
    Promise.reject(new ConflictError('stale', { status: 412, remote: note('n1', 'theirs'), version: 2 }))
  const { first, second } = await twoTabs({
    remote: new Remote(inTurn(stale, accepts)),
    conflict: { note: localWins },
  })
  const [one, two]: TaskResult[][] = [[], []]
  first.results$.subscribe((result) => one?.push(result))
  second.results$.subscribe((result) => two?.push(result))
  first.created('note', note('n1'))
  await pass(200)
  expect(one?.map(({ status }) => status)).toEqual(['conflict', 'superseded', 'persisted'])
  expect(two?.map(({ status }) => status)).toEqual(['superseded', 'persisted'])
})

test('metadata and status are the same in every tab, whoever wrote', async () => {
  const online$ = network(false)
  const { first, second } = await twoTabs({ online$ })
  second.created('note', note('n1'))
  first.updated('note', note('n2'))
  await pass(100)
  for (const tab of [first, second]) {
    expect(await tab.metadata('note', 'n1')).toMatchObject({ syncStatus: 'pending' })
    expect(await tab.metadata('note', 'n2')).toMatchObject({ syncStatus: 'pending' })
    expect(statusOf(tab)).toMatchObject({ waiting: 2, pending: 0, processing: 0 })
  }
  online$.next(true)
  await pass(100)
  for (const tab of [first, second]) {
    expect(await tab.metadata('note', 'n1')).toMatchObject({ syncStatus: 'synced' })
    expect(statusOf(tab)).toMatchObject({ waiting: 0, pending: 0, processing: 0 })
  }
})

test('what is in flight is seen in every tab', async () => {
  const { first, second } = await twoTabs({ remote: new Remote(() => new Promise(() => undefined)) })
  first.created('note', note('n1'))
  await pass(100)
  expect(await second.metadata('note', 'n1')).toMatchObject({ syncStatus: 'syncing' })
  expect(statusOf(second)).toMatchObject({ processing: 1, waiting: 0 })
})

test('a dead letter is retried and discarded from any tab', async () => {
  const { second, remote } = await twoTabs({ remote: new Remote(inTurn(refuses, refuses, accepts)) })
  const [one, two] = [second.created('note', note('n1')), second.created('note', note('n2'))]
  await pass(100)
  expect(statusOf(second)).toMatchObject({ dead: 2 })
  const retried = await second.retry(one.taskId)
  await second.discard(two.taskId)
  await pass(100)
  expect(retried).not.toBe(one.taskId)
  expect(remote.log).toEqual(['create n1 text', 'create n2 text', 'create n1 text'])
  expect(statusOf(second)).toMatchObject({ dead: 0, waiting: 0 })
})

test('a command that the leader refuses is refused in the tab that gave it', async () => {
  const { second } = await twoTabs()
  await expect(second.retry('nobody')).rejects.toThrow('There is no task nobody')
})

test('pause and resume hold for all tabs, also those that come later and those that take over', async () => {
  const { first, second, remote, tabs } = await twoTabs()
  await second.pause()
  first.created('note', note('n1'))
  const third = open(new Remote(), tabs)
  await pass(100)
  expect([first, second, third].map((tab) => statusOf(tab)?.paused)).toEqual([true, true, true])
  expect(remote.log).toEqual([])
  await first.close()
  await pass(minute)
  expect([second, third].map((tab) => statusOf(tab)?.paused)).toEqual([true, true])
  await third.resume()
  await pass(100)
  expect([second, third].map((tab) => statusOf(tab))).toMatchObject([
    { paused: false, waiting: 0 },
    { paused: false, waiting: 0 },
  ])
})

test('after 401 every tab is told, and any tab goes on', async () => {
  const signedOut = () => Promise.reject(new AuthError('signed out', { status: 401 }))
  const { first, second, remote } = await twoTabs({ remote: new Remote(inTurn(signedOut, accepts)) })
  const events = heard(second.bus, 'auth:required')
  first.created('note', note('n1'))
  await pass(100)
  expect(events.map(({ payload }) => payload)).toEqual([{ entityType: 'note' }])
  expect(statusOf(second)).toMatchObject({ authRequired: ['note'] })
  await second.authorized('note')
  await pass(100)
  expect(remote.log).toEqual(['create n1 text', 'create n1 text'])
  expect(statusOf(second)).toMatchObject({ authRequired: [], waiting: 0 })
})

test('flush hurries the retries from any tab', async () => {
  const fails = () => Promise.reject(new Error('no'))
  const { second, remote } = await twoTabs({ remote: new Remote(inTurn(fails, accepts)) })
  second.created('note', note('n1'))
  await pass(100)
  await second.flush()
  await pass(100)
  expect(remote.log).toEqual(['create n1 text', 'create n1 text'])
})

test('a tab that missed messages reads what happened, and its receipts settle', async () => {
  const { second, channels } = await twoTabs()
  channels.isLossy = true
  const receipt = second.created('note', note('n1'))
  await pass(2 * minute)
  channels.isLossy = false
  await pass(minute)
  expect(await receipt.settled).toMatchObject({ status: 'persisted' })
  expect(statusOf(second)).toMatchObject({ waiting: 0 })
})

test('the journal of a tab that follows stays short, and is gone when it leaves', async () => {
  const { first, second, tabs } = await twoTabs()
  for (let i = 0; i < 400; i++) await second.created('note', note(`n${i}`)).durable
  await pass(minute)
  const own = (await tabs.storage.list('rx-outbox/')).find((journal) => journal !== 'leader')
  const bytes = (await tabs.storage.read('rx-outbox/', own ?? '')).reduce((sum, { length }) => sum + length, 0)
  expect(bytes).toBeLessThan(60_000)
  await second.close()
  await now()
  expect(await tabs.storage.list('rx-outbox/')).toEqual(['leader'])
  await first.idle()
})

test('an owner switch in one tab leaves the other one alone, and nothing goes as somebody else', async () => {
  const tabs = { storage: memoryStore(), locks: fakeLocks(), channel: fakeChannels().open }
  const owner$ = new BehaviorSubject('ada')
  const [one, two] = [new Remote(), new Remote()]
  const first = open(one, { ...tabs, owner: owner$ })
  await now()
  const second = open(two, { ...tabs, owner: 'ada' })
  await now()
  owner$.next('bob')
  await now()
  first.created('note', note('of bob'))
  second.created('note', note('of ada'))
  await pass(100)
  expect(one.calls.map(({ id, attempt }) => `${id} ${attempt.owner}`)).toEqual(['of bob bob'])
  expect(two.calls.map(({ id, attempt }) => `${id} ${attempt.owner}`)).toEqual(['of ada ada'])
})
