import { NetworkError, ServerError, TimeoutError } from 'rx-outbox'
import { NEVER, of, throwError } from 'rxjs'
import { expect, test } from 'vitest'
import { hour, minute, now, pass, second, start, useFakeTime } from '../../support/fakeTime.ts'
import { heard, open } from '../../support/opened.ts'
import { type Call, note, Remote } from '../../support/remote.ts'

useFakeTime()

const unreached = () => throwError(() => new NetworkError('nobody there'))

function createAll(persistence: ReturnType<typeof open>, count: number): void {
  for (let i = 0; i < count; i++) persistence.created('note', note(`n${i}`))
}

test('five network-class failures in different lanes open it: then one probe at a time, at doubling intervals', async () => {
  const remote = new Remote(unreached)
  createAll(open(remote), 100)
  await now()
  expect(remote.calls).toHaveLength(5)
  await pass(5 * second - 1)
  expect(remote.calls).toHaveLength(5)
  await pass(30 * minute)
  const probes = remote.since(start).slice(5)
  const waits = probes.map((at, i) => at - (probes[i - 1] ?? 0))
  expect(waits.slice(0, 9)).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300].map((wait) => wait * second))
})

test('neither the others nor the probes pay attempts until an answer closes it', async () => {
  const remote = new Remote(unreached)
  const persistence = open(remote)
  const failed = heard(persistence.bus, 'queue:task-failed')
  createAll(persistence, 200)
  await pass(48 * hour)
  expect(failed).toEqual([])
  const paid = [...(await persistence.metadata('note')).values()].map(({ retryCount }) => retryCount)
  expect(paid.filter((count) => count > 0)).toEqual([1, 1, 1, 1, 1])
  remote.answer = () => of({})
  await pass(5 * minute)
  const states = new Set([...(await persistence.metadata('note')).values()].map(({ syncStatus }) => syncStatus))
  expect(states).toEqual(new Set(['synced']))
})

test('any answer closes it, a refusal as well', async () => {
  const remote = new Remote(unreached)
  createAll(open(remote), 20)
  await now()
  remote.answer = () => throwError(() => new ServerError('broken', { status: 500 }))
  await pass(5 * second)
  expect(remote.calls).toHaveLength(5 + 15)
})

test('time-outs count, answers of the server and failures of one lane do not', async () => {
  const timingOut = new Remote(() => throwError(() => new TimeoutError('slow')))
  createAll(open(timingOut), 10)
  await now()
  expect(timingOut.calls).toHaveLength(5)
  const broken = new Remote(() => throwError(() => new ServerError('broken', { status: 503 })))
  createAll(open(broken), 10)
  await now()
  expect(broken.calls).toHaveLength(10)
  const oneLane = new Remote(({ id }) => (id === 'n0' ? unreached() : NEVER))
  createAll(open(oneLane, { retryConfig: { maxRetries: 9, initialDelay: 1, multiplier: 1 }, concurrency: 9 }), 9)
  await pass(second)
  expect(oneLane.calls.filter(({ id }) => id === 'n0')).toHaveLength(10)
})

test('an answer in between begins the count anew', async () => {
  let failures = 0
  const remote = new Remote(() => (++failures % 5 === 0 ? of({}) : unreached()))
  createAll(open(remote), 50)
  await now()
  expect(remote.calls).toHaveLength(50)
})

test('one entity type does not hold up another', async () => {
  const remote = new Remote(({ id }) => (id.startsWith('n') ? unreached() : of({})))
  const persistence = open(remote)
  createAll(persistence, 10)
  for (let i = 0; i < 10; i++) persistence.created('tag', note(`t${i}`))
  await now()
  expect(remote.calls.filter(({ id }) => id.startsWith('t'))).toHaveLength(10)
})

test('one probe at a time, whatever the concurrency', async () => {
  const remote = new Remote(
    () =>
      new Promise((_, fail) => {
        setTimeout(() => fail(new NetworkError('nobody there')), 20 * second)
      }),
  )
  createAll(open(remote, { concurrency: 8 }), 50)
  await pass(hour)
  const probes = remote.since(start).filter((at) => at > 20 * second)
  expect(probes.length).toBeGreaterThan(5)
  expect(probes.every((at, i) => i === 0 || at - (probes[i - 1] ?? 0) > 20 * second)).toBe(true)
})

test('what was in flight when it opened is no probe', async () => {
  const remote = new Remote(({ id }: Call) => {
    const first = id <= 'n4' && id.length === 2
    // Five fail after a second; three more fail while the first probe is under way.
    const wait = first ? second : ['n5', 'n6', 'n7'].includes(id) ? 12 * second : 60 * second
    return new Promise((_, fail) => {
      setTimeout(() => fail(new NetworkError('nobody there')), wait)
    })
  })
  createAll(open(remote, { concurrency: 8, attemptTimeout: hour }), 30)
  await pass(2 * second)
  const before = remote.calls.length
  await pass(4 * second)
  expect(remote.since(start).slice(before)).toEqual([6 * second])
  await pass(hour)
  expect(remote.since(start).slice(before, before + 2)).toEqual([6 * second, 76 * second])
})

test('entities that are never answered do not keep the others from being tried', async () => {
  const bad = (id: string) => Number(id.slice(1)) < 12
  const remote = new Remote(({ id }) => (bad(id) ? NEVER : of({})))
  const persistence = open(remote)
  createAll(persistence, 20)
  await pass(12 * hour)
  const synced = [...(await persistence.metadata('note')).entries()].filter(
    ([, { syncStatus }]) => syncStatus === 'synced',
  )
  expect(synced.map(([id]) => id)).toEqual(['n12', 'n13', 'n14', 'n15', 'n16', 'n17', 'n18', 'n19'])
})

test('its numbers can be set, and it can be left out', async () => {
  const remote = new Remote(unreached)
  createAll(open(remote, { breaker: { failures: 2, delay: minute, maxDelay: 2 * minute } }), 10)
  await pass(10 * minute)
  expect(remote.since(start).slice(0, 6)).toEqual([0, 0, 1, 3, 5, 7].map((at) => at * minute))
  const unbroken = new Remote(unreached)
  createAll(open(unbroken, { breaker: false }), 10)
  await now()
  expect(unbroken.calls).toHaveLength(10)
})
