import { memoryStore, PersistenceError } from 'rx-outbox'
import { describe, expect, test } from 'vitest'
import { hour, minute, now, pass, second, start, useFakeTime } from '../../support/fakeTime.ts'
import { heard, network, open } from '../../support/opened.ts'
import { accepts, fails, hangs, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

const broken = fails(() => new Error('broken'))

describe('a task expires', () => {
  test('maxAge after its event, to the millisecond', async () => {
    const persistence = open(new Remote(), { online$: network(false) })
    const results: string[] = []
    persistence.results$.subscribe(({ status }) => results.push(status))
    persistence.created('note', note('n1'), { maxAge: hour })
    await pass(hour - 1)
    expect(results).toEqual([])
    await pass(1)
    expect(results).toEqual(['expired'])
  })

  test('at the earlier of maxAge and expiresAt', async () => {
    const persistence = open(new Remote(), { online$: network(false) })
    const ends: unknown[] = []
    persistence.results$.subscribe(({ id }) => ends.push([id, Date.now() - start]))
    persistence.created('note', note('n1'), { maxAge: hour, expiresAt: start + minute })
    persistence.created('note', note('n2'), { maxAge: minute, expiresAt: start + hour })
    await pass(2 * hour)
    expect(ends).toEqual([
      ['n1', minute],
      ['n2', minute],
    ])
  })

  test('after the option maxAge, unless its event says otherwise', async () => {
    const persistence = open(new Remote(), { online$: network(false), maxAge: hour })
    const ends: unknown[] = []
    persistence.results$.subscribe(({ id }) => ends.push([id, Date.now() - start]))
    persistence.created('note', note('n1'))
    persistence.created('note', note('n2'), { maxAge: 2 * hour })
    await pass(5 * hour)
    expect(ends).toEqual([
      ['n1', hour],
      ['n2', 2 * hour],
    ])
  })

  test('between two attempts, and is never sent after that', async () => {
    const remote = new Remote(broken)
    const persistence = open(remote)
    const receipt = persistence.created('note', note('n1'), { maxAge: 10 * minute })
    await pass(24 * hour)
    expect(remote.since(start)).toEqual([0, 3 * minute])
    expect(await receipt.settled).toMatchObject({
      status: 'expired',
      error: { message: 'broken' },
      task: { outcome: 'expired', retryCount: 2, expiresAt: start + 10 * minute, maxAge: 10 * minute },
    })
  })

  test('while it is paused', async () => {
    const remote = new Remote()
    const persistence = open(remote)
    await persistence.pause()
    const receipt = persistence.created('note', note('n1'), { maxAge: minute })
    await pass(minute)
    expect(await receipt.settled).toMatchObject({ status: 'expired' })
    await persistence.resume()
    await pass(hour)
    expect(remote.calls).toEqual([])
  })

  test('while it waits behind another one of its entity, or parked', async () => {
    const remote = new Remote(inTurn(hangs))
    const persistence = open(remote, { attemptTimeout: 24 * hour })
    persistence.created('note', note('n1'))
    await now()
    const receipt = persistence.updated('note', note('n1', 'later'), { maxAge: minute })
    await pass(minute)
    expect(await receipt.settled).toMatchObject({ status: 'expired' })
  })

  test('when its time was over before it was sent', async () => {
    const remote = new Remote()
    const persistence = open(remote)
    const receipt = persistence.created('note', note('n1'), { expiresAt: start - 1 })
    await now()
    expect(await receipt.settled).toMatchObject({ status: 'expired' })
    expect(remote.calls).toEqual([])
  })
})

test('an attempt under way when the time is over decides by its answer', async () => {
  const slow = (answer: () => unknown) => () =>
    new Promise<void>((done, fail) => {
      setTimeout(() => (answer() === undefined ? done() : fail(new PersistenceError('late'))), 2 * second)
    })
  const persistence = open(new Remote(slow(() => undefined)))
  const good = persistence.created('note', note('n1'), { maxAge: second })
  await pass(3 * second)
  expect(await good.settled).toMatchObject({ status: 'persisted' })
  const other = open(new Remote(slow(() => 'fail')))
  const bad = other.created('note', note('n1'), { maxAge: second })
  await pass(3 * second)
  expect(await bad.settled).toMatchObject({ status: 'expired', error: { message: 'late' } })
})

test('it is told as queue:task-expired and entity:expired, never as queue:task-failed, and becomes a dead letter', async () => {
  const persistence = open(new Remote(), { online$: network(false) })
  const events = heard(
    persistence.bus,
    'queue:task-expired',
    'entity:expired',
    'queue:task-failed',
    'entity:persist-error',
  )
  persistence.created('note', note('n1'), { maxAge: minute })
  await pass(minute)
  expect(events).toMatchObject([
    { name: 'entity:expired', payload: { entityType: 'note', id: 'n1', operation: 'create', data: note('n1') } },
    { name: 'queue:task-expired', payload: { task: { entityId: 'n1', outcome: 'expired' } } },
  ])
  const dead: unknown[] = []
  persistence.dead$.subscribe((letters) => dead.push(letters))
  expect(dead).toMatchObject([[{ entityId: 'n1', outcome: 'expired', data: note('n1') }]])
  expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'error' })
})

test('of 1,000 tasks each expires at its own time', async () => {
  const persistence = open(new Remote(), { online$: network(false) })
  const late: number[] = []
  persistence.results$.subscribe(({ task }) => late.push(Date.now() - (task.expiresAt ?? 0)))
  for (let i = 0; i < 1_000; i++) persistence.created('note', note(`n${i}`), { maxAge: 1 + ((i * 7919) % 1_000) })
  await pass(1_000)
  expect(late).toHaveLength(1_000)
  expect(new Set(late)).toEqual(new Set([0]))
})

test('a merged task has the expiry of the newer one', async () => {
  const persistence = open(new Remote(), { online$: network(false) })
  const ends: unknown[] = []
  persistence.results$.subscribe(({ status }) => ends.push([status, Date.now() - start]))
  persistence.created('note', note('n1'), { maxAge: minute })
  persistence.updated('note', note('n1', 'new'), { maxAge: hour })
  await pass(2 * hour)
  expect(ends).toEqual([
    ['superseded', 0],
    ['expired', hour],
  ])
})

test('a restart changes nothing: what expired meanwhile is not sent', async () => {
  const storage = memoryStore()
  const first = open(new Remote(), { storage, online$: network(false) })
  await first.created('note', note('n1'), { maxAge: hour }).durable
  await first.close()
  await pass(2 * hour)
  const remote = new Remote(accepts)
  const next = open(remote, { storage })
  const results: string[] = []
  next.results$.subscribe(({ status }) => results.push(status))
  await now()
  expect(results).toEqual(['expired'])
  expect(remote.calls).toEqual([])
})
