import { NetworkError } from 'rx-outbox'
import { NEVER, of, timeout } from 'rxjs'
import { expect, test } from 'vitest'
import { hour, minute, now, pass, second, start, useFakeTime } from '../../support/fakeTime.ts'
import { open } from '../../support/opened.ts'
import { type Call, hangs, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

test('a strategy that hangs and ignores its signal holds its place until attemptTimeout, and no longer', async () => {
  const remote = new Remote(({ id }) => (id === 'n1' ? NEVER : of({})))
  const persistence = open(remote)
  const results: unknown[] = []
  persistence.results$.subscribe(({ id, status, ...rest }) => results.push([id, status, Reflect.get(rest, 'error')]))
  persistence.created('note', note('n1'))
  persistence.created('note', note('n2'))
  await pass(30 * second - 1)
  expect(remote.log).toEqual(['create n1 text'])
  await pass(1)
  expect(remote.log).toEqual(['create n1 text', 'create n2 text'])
  expect(results).toMatchObject([
    ['n1', 'retrying', { category: 'timeout' }],
    ['n2', 'persisted', undefined],
  ])
})

test('one that hangs holds one of the places only', async () => {
  const remote = new Remote(({ id }) => (id === 'n0' ? NEVER : of({})))
  const persistence = open(remote, { concurrency: 2 })
  for (let i = 0; i < 100; i++) persistence.created('note', note(`n${i}`))
  await now()
  expect(remote.calls).toHaveLength(100)
})

test('its signal is aborted then', async () => {
  const remote = new Remote(hangs)
  open(remote, { attemptTimeout: minute }).created('note', note('n1'))
  await now()
  const signal = remote.calls[0]?.attempt.signal
  await pass(minute - 1)
  expect(signal?.aborted).toBe(false)
  await pass(1)
  expect(signal?.aborted).toBe(true)
})

test('whoever asks for the signal only then finds it aborted', async () => {
  const remote = new Remote(hangs)
  open(remote, { attemptTimeout: minute }).created('note', note('n1'))
  await pass(minute)
  expect(remote.calls[0]?.attempt.signal.aborted).toBe(true)
})

test('an operator of one’s own that gives up aborts it as well', async () => {
  const remote = new Remote(hangs)
  const persistence = open(remote, { operators: { note: { attempt: timeout(10 * second) } } })
  persistence.created('note', note('n1'))
  await now()
  const signal = remote.calls[0]?.attempt.signal
  await pass(10 * second)
  expect(signal?.aborted).toBe(true)
  expect(await persistence.metadata('note', 'n1')).toMatchObject({ retryCount: 1, error: { category: 'timeout' } })
})

test('an attempt that is answered is not aborted', async () => {
  const signals: AbortSignal[] = []
  const remote = new Remote(({ attempt }: Call) => {
    signals.push(attempt.signal)
    return Promise.resolve({})
  })
  open(remote).created('note', note('n1'))
  await pass(hour)
  expect(signals.map(({ aborted }) => aborted)).toEqual([false])
})

test('an answer that comes too late is ignored', async () => {
  for (const late of [{ backendId: 'late' }, new NetworkError('late')]) {
    const remote = new Remote(
      inTurn(
        () =>
          new Promise((done, fail) => {
            setTimeout(() => (late instanceof Error ? fail(late) : done(late)), minute)
          }),
        () => of({ backendId: 'second' }),
      ),
    )
    const persistence = open(remote)
    const statuses: string[] = []
    persistence.results$.subscribe(({ status }) => statuses.push(status))
    const receipt = persistence.created('note', note('n1'))
    await pass(hour)
    expect(statuses).toEqual(['retrying', 'persisted'])
    expect(await receipt.settled).toMatchObject({ receipt: { backendId: 'second' } })
  }
})

test('each attempt has its time for itself', async () => {
  const remote = new Remote(hangs)
  open(remote, { breaker: false }).created('note', note('n1'))
  await pass(24 * hour)
  const [wait, again, last] = [3 * minute, 12 * minute, 48 * minute].map((delay) => delay + 30 * second)
  expect(remote.since(start)).toEqual([0, wait, (wait ?? 0) + (again ?? 0), (wait ?? 0) + (again ?? 0) + (last ?? 0)])
})

test('what an Observable emits on the way counts only at its completion', async () => {
  const remote = new Remote(() => NEVER)
  remote.answer = () => of({ backendId: 'first' }, { backendId: 'last' })
  const receipt = open(remote).created('note', note('n1'))
  await now()
  expect(await receipt.settled).toMatchObject({ receipt: { backendId: 'last' } })
})
