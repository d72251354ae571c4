import { memoryStore } from 'rx-outbox'
import { expect, test } from 'vitest'
import { now, pass, second, start, useFakeTime } from '../../support/fakeTime.ts'
import { open } from '../../support/opened.ts'
import { accepts, fails, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

test('a lane is taken when it was silent for that long, with what came last', async () => {
  const remote = new Remote()
  const persistence = open(remote, { quiet: second })
  for (const text of ['a', 'ab', 'abc']) {
    persistence.updated('note', note('n1', text))
    await pass(900)
  }
  expect(remote.calls).toEqual([])
  await pass(99)
  expect(remote.calls).toEqual([])
  await pass(1)
  expect(remote.log).toEqual(['update n1 abc'])
  expect(remote.since(start)).toEqual([2_800])
})

test('each lane by itself', async () => {
  const remote = new Remote()
  const persistence = open(remote, { quiet: second })
  persistence.created('note', note('n1'))
  await pass(500)
  persistence.created('note', note('n2'))
  await pass(500)
  expect(remote.log).toEqual(['create n1 text'])
  await pass(500)
  expect(remote.log).toEqual(['create n1 text', 'create n2 text'])
})

test('what waits is stored at once', async () => {
  const storage = memoryStore()
  const remote = new Remote()
  const first = open(remote, { quiet: second, storage })
  const receipt = first.created('note', note('n1'))
  await receipt.durable
  expect(remote.calls).toEqual([])
  await first.close()
  open(remote, { quiet: second, storage })
  await pass(second)
  expect(remote.log).toEqual(['create n1 text'])
})

test('it delays no retry, and waits behind one are not prolonged', async () => {
  const remote = new Remote(
    inTurn(
      fails(() => new Error('busy')),
      accepts,
    ),
  )
  const persistence = open(remote, { quiet: second, retryConfig: { initialDelay: 2 * second } })
  persistence.created('note', note('n1'))
  await pass(second)
  expect(remote.since(start)).toEqual([second])
  await pass(1_900)
  persistence.updated('note', note('n1', 'later'))
  await pass(100)
  expect(remote.since(start)).toEqual([second, 3 * second])
  await pass(900)
  expect(remote.log.at(-1)).toBe('update n1 later')
})

test('what waits for silence is waiting in status$', async () => {
  const persistence = open(new Remote(), { quiet: second })
  persistence.created('note', note('n1'))
  await now()
  const seen: unknown[] = []
  persistence.status$.subscribe(({ pending, waiting }) => seen.push({ pending, waiting }))
  expect(seen).toEqual([{ pending: 0, waiting: 1 }])
  await persistence.idle()
})
