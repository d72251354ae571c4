import { memoryStore, RateLimitError, ServerError } from 'rx-outbox'
import { expect, test, vi } from 'vitest'
import { hour, minute, now, pass, second, start, useFakeTime } from '../../support/fakeTime.ts'
import { open } from '../../support/opened.ts'
import { accepts, fails, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

const busy = (retryAfter: number) => fails(() => new RateLimitError('busy', { status: 429, retryAfter }))

test('what the remote asked for wins over the formula, shorter or longer', async () => {
  const remote = new Remote(inTurn(busy(10 * second), busy(2 * hour), accepts))
  const persistence = open(remote)
  const receipt = persistence.created('note', note('n1'))
  await pass(10 * second - 1)
  expect(remote.calls).toHaveLength(1)
  await pass(1)
  await pass(2 * hour)
  expect(remote.since(start)).toEqual([0, 10 * second, 2 * hour + 10 * second])
  expect(await receipt.settled).toMatchObject({ status: 'persisted', task: { retryCount: 2 } })
})

test('a 503 may ask as well, and for no time at all', async () => {
  const remote = new Remote(
    inTurn(
      fails(() => new ServerError('restarting', { status: 503, retryAfter: 0 })),
      accepts,
    ),
  )
  open(remote).created('note', note('n1'))
  await now()
  expect(remote.calls).toHaveLength(2)
})

test('up to maxRetryAfter', async () => {
  const remote = new Remote(inTurn(busy(7 * 24 * hour), busy(7 * 24 * hour), accepts))
  open(remote).created('note', note('n1'))
  await pass(48 * hour)
  expect(remote.since(start)).toEqual([0, 24 * hour, 48 * hour])
  const impatient = new Remote(inTurn(busy(hour), accepts))
  open(impatient, { maxRetryAfter: minute }).created('note', note('n1'))
  await pass(hour)
  expect(impatient.since(start)).toEqual([48 * hour, 48 * hour + minute])
})

test('a clock that is set back makes it wait as long as it was asked to once more, also after a restart', async () => {
  const storage = memoryStore()
  const first = new Remote(busy(10 * second))
  const persistence = open(first, { storage })
  persistence.created('note', note('n1'))
  await pass(second)
  await persistence.close()
  vi.setSystemTime(Date.now() - 24 * hour)
  const remote = new Remote(inTurn(busy(20 * second), accepts))
  open(remote, { storage })
  await pass(10 * second)
  expect(remote.calls).toHaveLength(1)
  vi.setSystemTime(Date.now() - 24 * hour)
  await pass(40 * second)
  expect(remote.calls).toHaveLength(2)
})

test('nonsense is not believed', async () => {
  for (const asked of [-1, NaN, Infinity]) {
    const remote = new Remote(inTurn(busy(asked), accepts))
    const begun = Date.now()
    open(remote).created('note', note('n1'))
    await pass(3 * minute - 1)
    expect(remote.since(begun)).toEqual([0])
    await pass(25 * hour)
    expect(remote.calls).toHaveLength(2)
  }
})

test('flush() makes other retries due at once, but not one under Retry-After', async () => {
  const remote = new Remote(({ id, attempt }) =>
    attempt.attempt > 1 ? accepts() : id === 'n1' ? busy(hour)() : fails(() => new Error('broken'))(),
  )
  const persistence = open(remote)
  persistence.created('note', note('n1'))
  persistence.created('note', note('n2'))
  await pass(second)
  await persistence.flush()
  await now()
  expect(remote.log).toEqual(['create n1 text', 'create n2 text', 'create n2 text'])
  await pass(hour - second)
  expect(remote.since(start)).toEqual([0, 0, second, hour])
})

test('a restart does not shorten it either', async () => {
  const storage = memoryStore()
  const remote = new Remote(inTurn(busy(5 * hour), accepts))
  const first = open(remote, { storage })
  first.created('note', note('n1'))
  await now()
  await first.close()
  await pass(hour)
  const next = open(remote, { storage })
  await now()
  await next.flush()
  await pass(4 * hour - 1)
  expect(remote.calls).toHaveLength(1)
  await pass(1)
  expect(remote.calls).toHaveLength(2)
})
