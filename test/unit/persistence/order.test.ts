import { memoryStore } from 'rx-outbox'
import { NEVER, of } from 'rxjs'
import { expect, test, vi } from 'vitest'
import { hour, minute, now, pass, start, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { fails, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

test('the tasks of one entity go as emitted, whatever their priority, retries and places', async () => {
  let tries = 0
  const remote = Object.assign(new Remote(() => (++tries % 3 === 0 ? fails(() => new Error('busy'))() : of({}))), {
    coalesce: () => {
      throw new Error('each one counts')
    },
  })
  const persistence = open(remote, { concurrency: 5 })
  for (let i = 0; i < 10; i++) {
    persistence.updated('note', note('n1', `v${i}`), { priority: (i * 7) % 5 })
    persistence.created('tag', note(`t${i}`), { priority: i })
    await now()
  }
  await pass(10 * hour)
  const notes = remote.log.filter((line) => line.startsWith('update'))
  expect(notes.filter((line, i) => line !== notes[i - 1])).toEqual(
    Array.from({ length: 10 }, (_, i) => `update n1 v${i}`),
  )
})

test('one task of an entity is in flight at most', async () => {
  const remote = new Remote(() => NEVER)
  const persistence = open(remote, { concurrency: 9, attemptTimeout: hour })
  persistence.created('note', note('n1', 'a'))
  await now()
  persistence.updated('note', note('n1', 'b'))
  persistence.created('note', note('n2'))
  await pass(minute)
  expect(remote.log).toEqual(['create n1 a', 'create n2 text'])
})

test('between entities the highest priority waiting in the lane goes first, then the oldest', async () => {
  const online$ = network(false)
  const remote = new Remote()
  const persistence = open(remote, { online$ })
  persistence.deleted('note', 'n1')
  persistence.created('note', note('n2'), { priority: 1 })
  persistence.created('note', note('n3'))
  persistence.created('note', note('n1'), { priority: 2 })
  persistence.created('note', note('n4'), { priority: 1 })
  persistence.created('note', note('n5'), { priority: -1 })
  await now()
  online$.next(true)
  await now()
  expect(remote.log.map((line) => line.split(' ')[1])).toEqual(['n1', 'n1', 'n2', 'n4', 'n3', 'n5'])
})

test('priority is decided when the next one is taken, not when it came', async () => {
  const remote = new Remote(() => new Promise((done) => void setTimeout(() => done({}), 10)))
  const persistence = open(remote)
  for (let i = 0; i < 5; i++) persistence.created('note', note(`n${i}`))
  await pass(15)
  persistence.created('note', note('urgent'), { priority: 1 })
  await pass(100)
  expect(remote.log.indexOf('create urgent text')).toBe(2)
})

test('after maxOvertakes takes the oldest goes; Infinity is strict', async () => {
  for (const [maxOvertakes, place] of [
    [3, 3],
    [Infinity, 20],
  ] as const) {
    const online$ = network(false)
    const remote = new Remote()
    const persistence = open(remote, { online$, maxOvertakes })
    persistence.created('note', note('patient'), { priority: -1 })
    for (let i = 0; i < 20; i++) persistence.created('note', note(`n${i}`))
    await now()
    online$.next(true)
    await now()
    expect(remote.log.indexOf('create patient text')).toBe(place)
  }
})

test('clocks that jump change no order', async () => {
  const storage = memoryStore()
  const online$ = network(false)
  const first = open(new Remote(), { storage, online$ })
  first.deleted('note', 'n1')
  await first.idle()
  vi.setSystemTime(start - 1_000 * hour)
  first.created('note', note('n1', 'after'))
  first.created('note', note('n2'))
  await first.idle()
  await first.close()
  vi.setSystemTime(start + 1_000 * hour)
  const remote = new Remote()
  open(remote, { storage })
  await now()
  expect(remote.log).toEqual(['delete n1', 'create n1 after', 'create n2 text'])
})

test('a task that failed goes on where it stood', async () => {
  const remote = new Remote(
    inTurn(
      fails(() => new Error('busy')),
      () => of({}),
    ),
  )
  const persistence = open(remote)
  persistence.created('note', note('n1', 'a'))
  await now()
  persistence.updated('note', note('n1', 'b'), { priority: 100 })
  await pass(3 * minute - 1)
  expect(remote.log).toEqual(['create n1 a'])
  await pass(1)
  expect(remote.log).toEqual(['create n1 a', 'create n1 a', 'update n1 b'])
})
