import { createPersistence, type ErrorCategory, memoryStore, NetworkError, nextDelay, PermanentError } from 'rx-outbox'
import { of, throwError } from 'rxjs'
import { describe, expect, test, vi } from 'vitest'
import { hour, minute, now, pass, start, useFakeTime } from '../../support/fakeTime.ts'
import { open } from '../../support/opened.ts'
import { accepts, fails, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

const broken = () => new Error('broken')

describe('an error is retried', () => {
  test('after 3, 12 and 48 minutes, to the millisecond, and then the task is a dead letter', async () => {
    const remote = new Remote(fails(broken))
    const persistence = open(remote)
    const receipt = persistence.created('note', note('n1'))
    await now()
    for (const [at, wait] of [3, 12, 48].entries()) {
      await pass(wait * minute - 1)
      expect(remote.calls).toHaveLength(at + 1)
      await pass(1)
      expect(remote.calls).toHaveLength(at + 2)
    }
    expect(remote.since(start)).toEqual([0, 3 * minute, 15 * minute, 63 * minute])
    expect(await receipt.settled).toMatchObject({
      status: 'failed',
      error: { category: 'unknown', message: 'broken' },
      task: { retryCount: 3, maxRetries: 3, outcome: 'failed' },
      metadata: { syncStatus: 'error', retryCount: 3, maxRetries: 3 },
    })
    await pass(100 * hour)
    expect(remote.calls).toHaveLength(4)
  })

  test('at most maxDelay later', async () => {
    const remote = new Remote(fails(broken))
    const persistence = open(remote, { retryConfig: { maxDelay: 10 * minute } })
    persistence.created('note', note('n1'))
    await pass(5 * hour)
    expect(remote.since(start)).toEqual([0, 3 * minute, 13 * minute, 23 * minute])
  })

  test('with the settings of its entity type, merged field by field over the common ones', async () => {
    const strategies = {
      note: new Remote(fails(broken)),
      tag: new Remote(fails(broken)),
      line: new Remote(fails(broken)),
    }
    const persistence = createPersistence({
      strategies,
      options: {
        storage: memoryStore(),
        retryConfig: { maxRetries: 2, multiplier: 2 },
        retryConfigByEntityType: { note: { initialDelay: minute }, tag: { maxRetries: 1 } },
      },
    })
    persistence.created('note', note('n1'))
    persistence.created('tag', note('t1'))
    persistence.created('line', note('l1'))
    await pass(24 * hour)
    expect(strategies.note.since(start)).toEqual([0, minute, 3 * minute])
    expect(strategies.tag.since(start)).toEqual([0, 3 * minute])
    expect(strategies.line.since(start)).toEqual([0, 3 * minute, 9 * minute])
  })

  test('with the default of a field that is given as undefined', async () => {
    const remote = new Remote(fails(broken))
    const persistence = open(remote, {
      retryConfig: { maxRetries: 1, initialDelay: undefined },
      retryConfigByEntityType: { note: { maxRetries: undefined } },
    })
    persistence.created('note', note('n1'))
    await pass(24 * hour)
    expect(remote.since(start)).toEqual([0, 3 * minute])
  })

  test('a share of the delay earlier, as chance says, with jitter', async () => {
    const remote = new Remote(fails(broken))
    const persistence = open(remote, { jitter: 0.5, random: () => 0.5, retryConfig: { maxRetries: 1 } })
    persistence.created('note', note('n1'))
    await pass(hour)
    expect(remote.since(start)).toEqual([0, 3 * minute * 0.75])
  })

  test('even when the remote says that the request is wrong', async () => {
    const refusals = [400, 403, 404, 422].map((status) => () => Object.assign(new Error('no'), { status }))
    for (const refusal of refusals) {
      const remote = new Remote(inTurn(fails(refusal), accepts))
      const persistence = open(remote)
      const receipt = persistence.created('note', note('n1'))
      await pass(3 * minute)
      expect(await receipt.settled).toMatchObject({ status: 'persisted' })
    }
  })

  test('not at all when maxRetries is 0', async () => {
    const remote = new Remote(fails(broken))
    const persistence = open(remote, { retryConfig: { maxRetries: 0 } })
    const receipt = persistence.created('note', note('n1'))
    await now()
    expect(await receipt.settled).toMatchObject({ status: 'failed', task: { retryCount: 0 } })
  })

  test('with the same key and the same body', async () => {
    const remote = new Remote(inTurn(fails(broken), fails(broken), accepts))
    const persistence = open(remote)
    persistence.created('note', note('n1', 'first'))
    await now()
    persistence.updated('note', note('n1', 'second'))
    await pass(hour)
    expect(remote.log).toEqual(['create n1 first', 'create n1 first', 'create n1 first', 'update n1 second'])
    const keys = remote.calls.map(({ attempt }) => attempt.idempotencyKey)
    expect(new Set(keys.slice(0, 3)).size).toBe(1)
    expect(keys[3]).not.toBe(keys[0])
    expect(remote.calls.map(({ attempt }) => attempt.attempt)).toEqual([1, 2, 3, 1])
  })
})

test('a PermanentError makes a dead letter at once', async () => {
  const remote = new Remote(fails(() => new PermanentError('gone for good', { status: 410 })))
  const persistence = open(remote)
  const receipt = persistence.created('note', note('n1'))
  await now()
  expect(await receipt.settled).toMatchObject({
    status: 'failed',
    error: { category: 'client', message: 'gone for good', status: 410 },
    task: { retryCount: 0 },
  })
  await pass(24 * hour)
  expect(remote.calls).toHaveLength(1)
})

test('a PermanentError is one of any category, also of an unreached remote and of a missing login', async () => {
  for (const category of ['network', 'auth', 'conflict'] satisfies ErrorCategory[]) {
    const persistence = open(new Remote(fails(() => new PermanentError('no', { category }))))
    const receipt = persistence.created('note', note('n1'))
    await now()
    expect(await receipt.settled).toMatchObject({ status: 'failed', error: { category } })
  }
})

describe('a restart', () => {
  test('keeps retryCount, and the rest of the wait', async () => {
    const remote = new Remote(fails(broken))
    const storage = memoryStore()
    const first = open(remote, { storage })
    first.created('note', note('n1'))
    await pass(3 * minute + 1)
    await first.close()
    const second = open(remote, { storage })
    await pass(5 * minute)
    expect(await second.metadata('note', 'n1')).toMatchObject({ syncStatus: 'pending', retryCount: 2 })
    await second.close()
    const third = open(remote, { storage })
    await pass(5 * hour)
    expect(remote.since(start)).toEqual([0, 3 * minute, 15 * minute, 63 * minute])
    expect(await third.metadata('note', 'n1')).toMatchObject({ syncStatus: 'error', retryCount: 3 })
  })

  test('after the wait is over sends at once', async () => {
    const remote = new Remote(inTurn(fails(broken), accepts))
    const storage = memoryStore()
    const first = open(remote, { storage })
    first.created('note', note('n1'))
    await now()
    await first.close()
    await pass(hour)
    open(remote, { storage })
    await now()
    expect(remote.since(start)).toEqual([0, hour])
  })
})

test('a clock that is set back makes nobody wait longer than the longest delay', async () => {
  const remote = new Remote(inTurn(fails(broken), accepts))
  const storage = memoryStore()
  const first = open(remote, { storage })
  first.created('note', note('n1'))
  await now()
  await first.close()
  vi.setSystemTime(start - 365 * 24 * hour)
  open(remote, { storage })
  await pass(hour)
  expect(remote.calls).toHaveLength(2)
})

test('a wait longer than the longest timer of the platform is kept', async () => {
  const remote = new Remote(inTurn(fails(broken), accepts))
  const days = 30 * 24 * hour
  const persistence = open(remote, { retryConfig: { initialDelay: days, maxDelay: days } })
  persistence.created('note', note('n1'))
  await pass(days - 1)
  expect(remote.calls).toHaveLength(1)
  await pass(1)
  expect(remote.calls).toHaveLength(2)
})

test('the formula stands alone', () => {
  const config = { maxRetries: 9, initialDelay: 180_000, multiplier: 4, maxDelay: 3_600_000 }
  expect([1, 2, 3, 4, 50].map((retry) => nextDelay(retry, config))).toEqual([
    180_000, 720_000, 2_880_000, 3_600_000, 3_600_000,
  ])
})

test('a task that waits for its retry holds up its own entity only', async () => {
  const remote = new Remote(({ id }) => (id === 'n1' ? throwError(() => new NetworkError('down')) : of({})))
  const persistence = open(remote)
  persistence.created('note', note('n1'))
  persistence.created('note', note('n2'))
  await now()
  persistence.updated('note', note('n1', 'later'))
  persistence.created('note', note('n3'))
  await now()
  expect(remote.log).toEqual(['create n1 text', 'create n2 text', 'create n3 text'])
})
