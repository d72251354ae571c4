import { AuthError, memoryStore, NetworkError, RateLimitError } from 'rx-outbox'
import { NEVER, throwError } from 'rxjs'
import { expect, test } from 'vitest'
import { appStore, errorsOf, openSynced } from '../../support/appStore.ts'
import { minute, now, pass, second, useFakeTime } from '../../support/fakeTime.ts'
import { ModelServer } from '../../support/modelServer.ts'
import { network, open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

useFakeTime()

/** An outbox whose remote answers pulls with whatever `give` says. */
function openGiving(give: (checkpoint: unknown, pulls: number) => unknown, options: Parameters<typeof open>[1] = {}) {
  const store = appStore()
  const asked: unknown[] = []
  const remote = Object.assign(new Remote(), {
    pull: ({ checkpoint }: { checkpoint: unknown }) => {
      asked.push(checkpoint)
      return give(checkpoint, asked.length) as never
    },
  })
  const persistence = open(new Remote(), { apply: store.apply, ...options }, { note: remote, tag: new Remote() })
  return { persistence, store, asked, errors: errorsOf(persistence) }
}

const page = (parts: object) => [{ changed: [], deleted: [], checkpoint: 1, more: false, ...parts }]
const row = (id: string) => ({ id, data: note(id) })

test.each<[string, (checkpoint: unknown, pulls: number) => unknown, RegExp]>([
  ['gives no page', () => [7], /has to be an object/],
  ['gives nothing', () => [], /has to be an object/],
  ['has no list of rows', () => page({ changed: {} }), /changed has to be a list/],
  ['has no list of the deleted', () => page({ deleted: 'n1' }), /deleted has to be a list/],
  ['does not say whether there is more', () => page({ more: undefined }), /more has to be true or false/],
  ['has no checkpoint', () => page({ checkpoint: undefined }), /checkpoint is missing/],
  ['has far too many rows', () => page({ changed: Array.from({ length: 10_001 }, () => row('n1')) }), /10001 rows/],
  [
    'says both of an id',
    () => page({ changed: [row('n1')], deleted: ['n1'] }),
    /that it changed and that it was deleted/,
  ],
  [
    'stands still and says that there is more',
    () => page({ changed: [row('n1')], more: true }),
    /more behind a checkpoint/,
  ],
  [
    'goes round in circles',
    (_, pulls) => page({ changed: [row('n1')], checkpoint: pulls % 3, more: true }),
    /more behind a checkpoint/,
  ],
  [
    'goes back at the end',
    (at) => (at === 'b' ? page({ checkpoint: 'a' }) : page({ checkpoint: at === 'a' ? 'b' : 'a', more: true })),
    /goes back to a checkpoint/,
  ],
  [
    'has more for ever, and no rows',
    (_, pulls) => page({ checkpoint: pulls, more: true }),
    /100 pages of note had no rows/,
  ],
  ['throws when it is read', () => [new Proxy({}, { get: () => neverGiven() })], /hostile|cannot be read/],
])('a remote that %s is refused with an error that says so, and asked again later', async (_, give, why) => {
  const { persistence, errors, asked } = openGiving(give, { pull: { onStart: false, interval: false } })
  await expect(persistence.pull('note')).rejects.toThrow(why)
  expect(errors).toEqual([expect.stringMatching(why)])
  const before = asked.length
  await pass(6 * second)
  expect(asked.length).toBeGreaterThan(before)
})

function neverGiven(): never {
  throw new Error('hostile')
}

test.each<[string, unknown, string]>([
  ['is none', null, 'note.changed[1] has to be an object.'],
  ['has no id', { id: 7, data: note('n1') }, 'note.changed[1].id has to be a text that is not empty.'],
  ['has no data', { id: 'n9' }, 'note.changed[1].data is missing'],
  ['cannot be stored', { id: 'n9', data: { id: 'n9', text: () => 7 } }, 'note.changed[1].data.text'],
  ['has a version that is none', { id: 'n9', data: note('n9'), version: {} }, 'note.changed[1].version'],
  ['is an error', new Error('bad title'), 'bad title'],
])('a row that %s is reported, its neighbours are taken over, and the next start asks again', async (_, bad, why) => {
  const storage = memoryStore()
  const given = (at: unknown) =>
    page(at === 5 ? { checkpoint: 5 } : { changed: [row('n1'), bad, row('n2')], checkpoint: 5 })
  const first = openGiving(given, { storage })
  await now()
  expect([...first.store.notes.keys()]).toEqual(['n1', 'n2'])
  expect(first.errors).toEqual([expect.stringContaining(why)])
  await first.persistence.pull('note')
  expect([first.asked, first.errors.length]).toEqual([[undefined, 5], 1])
  await first.persistence.close()
  const next = openGiving(() => page({ changed: [row('n3')], checkpoint: 6 }), { storage })
  await now()
  expect([next.asked, [...next.store.notes.keys()]]).toEqual([[undefined], ['n3']])
})

test('a schema of the app refuses a row like any other that is none', async () => {
  const isShort = { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } as const
  const validate = (value: unknown) =>
    JSON.stringify(value).length > 40 ? { issues: [{ message: 'is too long', path: ['text'] }] } : { value }
  const { store, errors } = openGiving(
    () => page({ changed: [row('n1'), { id: 'n2', data: note('n2', 'x'.repeat(50)) }] }),
    {
      schemas: { note: { '~standard': { ...isShort, validate } } },
    },
  )
  await now()
  expect([...store.notes.keys()]).toEqual(['n1'])
  expect(errors).toEqual([expect.stringContaining('note.changed[1].data.text: is too long')])
})

test('a remote that does not answer is left after attemptTimeout, and asked again with growing pauses', async () => {
  const signals: AbortSignal[] = []
  const store = appStore()
  const remote = Object.assign(new Remote(), {
    pull: ({ signal }: { signal: AbortSignal }) => (signals.push(signal), NEVER),
  })
  open(new Remote(), { apply: store.apply, pull: { interval: false } }, { note: remote, tag: new Remote() })
  await pass(30 * second)
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  await pass(5 * second)
  expect(signals).toHaveLength(2)
  await pass(30 * second + 10 * second)
  expect(signals).toHaveLength(3)
})

test('the remote may ask to be left alone', async () => {
  const { asked } = openGiving(
    (_, pulls) => (pulls === 1 ? throwError(() => new RateLimitError('busy', { retryAfter: 60_000 })) : page({})),
    { pull: { interval: false } },
  )
  await pass(59 * second)
  expect(asked).toHaveLength(1)
  await pass(2 * second)
  expect(asked).toHaveLength(2)
})

test('a 401 asks for a login once, and authorized() goes on', async () => {
  let isSignedIn = false
  const { persistence, asked } = openGiving(() =>
    isSignedIn ? page({}) : throwError(() => new AuthError('log in', { status: 401 })),
  )
  const required: unknown[] = []
  persistence.bus.on('auth:required', (event) => void required.push(event))
  await pass(60 * minute)
  expect([asked.length, required]).toEqual([1, [{ entityType: 'note' }]])
  await expect(persistence.pull('note')).rejects.toMatchObject({ category: 'auth' })
  isSignedIn = true
  await persistence.authorized('note')
  await now()
  expect(asked).toHaveLength(2)
})

test('offline nothing is asked, and pull() says so; what failed on the way offline is asked for on reconnect', async () => {
  const online$ = network(true)
  const { persistence, asked, errors } = openGiving(
    (_, pulls) => {
      if (pulls > 1) return page({})
      online$.next(false)
      return throwError(() => new NetworkError('gone'))
    },
    { online$ },
  )
  await pass(60 * minute)
  expect([asked.length, errors]).toEqual([1, []])
  await expect(persistence.pull('note')).rejects.toMatchObject({ category: 'network' })
  online$.next(true)
  await now()
  expect(asked).toHaveLength(2)
})

test('close() aborts what is asked, and pull() says so', async () => {
  const server = new ModelServer()
  server.pulling = () => new Promise(() => {})
  const persistence = openSynced(server, appStore())
  await now()
  const pulling = persistence.pull('note')
  const [refused] = await Promise.allSettled([pulling, persistence.close()])
  expect(refused).toMatchObject({ reason: { name: 'ClosedError' } })
  expect(server.pulls[0]?.signal.aborted).toBe(true)
})

test('a type that nobody knows is refused', async () => {
  const persistence = openSynced(new ModelServer(), appStore())
  await expect(persistence.pull('nobody' as 'note')).rejects.toThrow('there is no strategy for nobody')
})
