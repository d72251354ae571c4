import {
  AuthError,
  classify,
  ClientError,
  ConflictError,
  isPermanentError,
  NetworkError,
  PermanentError,
  type PersistenceStrategy,
  RateLimitError,
  ServerError,
} from 'rx-outbox'
import { all, any, quorum } from 'rx-outbox/hybrid'
import { throwError } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { create, type Item, LegRemote, Task, thrown } from './support.ts'

/** A leg that throws. */
const failing = (reason: unknown): PersistenceStrategy<Item> =>
  new LegRemote().strategy({ persistCreate: () => throwError(() => reason) })

const network = new NetworkError('no answer')
const auth = new AuthError('who?', { status: 401 })
const busy = new RateLimitError('busy', { status: 429, retryAfter: 7_000 })
const conflict = new ConflictError('stale', { status: 412, remote: { id: 'n1', text: 'theirs' } })
const refused = new ClientError('refused', { status: 422 })
const never = new PermanentError('never')

/** What the whole throws when its first leg, the primary, throws the first, and so on. */
async function verdictOf(...errors: unknown[]): Promise<unknown> {
  const legs = Object.fromEntries(errors.map((error, i) => [`leg${i}`, failing(error)]))
  return thrown(create(all(legs), new Task().context()))
}

describe('of several legs that fail', () => {
  test.each([
    [[auth, network], 'network'],
    [[refused, new ServerError('broken', { status: 503 })], 'server'],
    [[busy, auth], 'auth'],
    [[conflict, busy], 'rate-limit'],
    [[conflict, refused], 'conflict'],
    [[never, refused], 'client'],
    [[refused, new Error('oh no')], 'unknown'],
  ])('who may have been reached decides, then who can be cured (%#)', async (errors, category) => {
    const error = await verdictOf(...errors)
    expect(classify(error).category).toBe(category)
    expect(isPermanentError(error)).toBe(false)
  })

  test('only when every one says never, the whole does', async () => {
    expect(isPermanentError(await verdictOf(never, never))).toBe(true)
  })

  test('the longest wait counts, each leg is named, and what they threw is kept', async () => {
    const error = await verdictOf(network, busy)
    expect(error).toMatchObject({ retryAfter: 7_000, message: 'leg0: no answer; leg1: busy' })
    expect(error).toHaveProperty('cause.errors', [network, busy])
  })

  test('a conflict is the one that the primary threw', async () => {
    expect(await verdictOf(conflict, refused)).toBe(conflict)
  })

  test('what another leg calls a conflict is a refusal: it was given no version', async () => {
    expect(classify(await verdictOf(refused, conflict)).category).toBe('client')
  })
})

test('every other leg is asked, and remembered, although one of them says never', async () => {
  const [a, b] = [new LegRemote(), new LegRemote()]
  const task = new Task()
  await thrown(create(all({ a: a.strategy(), no: failing(never), b: b.strategy() }), task.context()))
  await thrown(create(all({ a: a.strategy(), no: failing(never), b: b.strategy() }), task.context()))
  expect([a.attempts.length, b.attempts.length]).toEqual([1, 1])
})

test.each([
  ['all', () => all({})],
  ['all', () => all({ 'a.b': failing(never) })],
  ['all', () => all({ '1': failing(never) })],
  ['primary', () => all({ a: failing(never) }, { primary: 'b' as 'a' })],
  ['reads', () => any({ a: failing(never) }, { reads: ['b' as 'a'] })],
  ['grace', () => any({ a: failing(never) }, { grace: -1 })],
  ['`n`', () => quorum(2, { a: failing(never) })],
  ['`n`', () => quorum(0.5, { a: failing(never) })],
])('a wrong name or option throws and is named: %s', (name, make) => {
  expect(make).toThrow(TypeError)
  expect(make).toThrow(name)
})
