import { of, throwError } from 'rxjs'
import { expect, test } from 'vitest'
import { minute, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

useFakeTime()

/** A remote of which `persistCreate` gives back whatever it likes, for n1 only. */
function givingBack(give: () => unknown): Remote {
  const remote = new Remote()
  const accept = remote.persistCreate.bind(remote)
  return Object.assign(remote, {
    persistCreate: (...args: Parameters<Remote['persistCreate']>) => (args[0].id === 'n1' ? give() : accept(...args)),
  })
}

function neverGiven(): never {
  throw new Error('hostile')
}

test.each<[string, () => unknown, object]>([
  [
    'throws',
    () => {
      throw new Error('bug')
    },
    { category: 'unknown', message: 'bug' },
  ],
  ['rejects with nothing', () => Promise.reject(), { category: 'unknown' }],
  ['rejects with a string', () => Promise.reject('no'), { category: 'unknown', message: 'no' }],
  ['errors synchronously', () => throwError(() => null), { category: 'unknown' }],
  ['gives back a number', () => 42, { category: 'unknown' }],
  ['throws a status', () => throwError(() => ({ status: 503 })), { category: 'server', status: 503 }],
  [
    'throws what throws when it is read',
    () => throwError(() => new Proxy({}, { get: () => neverGiven() })),
    { category: 'unknown' },
  ],
])('one that %s is retried, and the others go on', async (_, give, error) => {
  const persistence = open(givingBack(give))
  persistence.created('note', note('n1'))
  persistence.created('note', note('n2'))
  await now()
  expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'pending', retryCount: 1, error })
  expect(await persistence.metadata('note', 'n2')).toMatchObject({ syncStatus: 'synced' })
})

test.each<[string, () => unknown]>([
  ['undefined', () => undefined],
  ['null', () => null],
  ['an Observable of nothing', () => of()],
  ['a Promise of null', () => Promise.resolve(null)],
  ['an array', () => [{ backendId: 'b1' }]],
  ['a receipt with junk in it', () => of({ backendId: {}, version: [], junk: true })],
])('one that gives back %s has done its work', async (_, give) => {
  const persistence = open(givingBack(give))
  const receipt = persistence.created('note', note('n1'))
  expect(await receipt.settled).toMatchObject({ status: 'persisted' })
})

test('one that answers twice counts once', async () => {
  const persistence = open(givingBack(() => of({ backendId: 'a' }, { backendId: 'b' })))
  const results: string[] = []
  persistence.results$.subscribe(({ status }) => results.push(status))
  const receipt = persistence.created('note', note('n1'))
  expect(await receipt.settled).toMatchObject({ receipt: { backendId: 'b' } })
  expect(results).toEqual(['persisted'])
})

test('one that closes the outbox, or emits, in the middle of its work', async () => {
  let closing: Promise<void> | undefined
  const remote = new Remote(() => {
    closing = persistence.close()
    return of({})
  })
  const persistence = open(remote)
  persistence.created('note', note('n1'))
  await now()
  await closing
  const emitting = new Remote(({ operation }) => {
    if (operation === 'create') other.bus.emit('entity:updated', { entityType: 'note', data: note('n1', 'again') })
    return of({})
  })
  const other = open(emitting)
  other.created('note', note('n1'))
  await now()
  expect(emitting.log).toEqual(['create n1 text', 'update n1 again'])
})

test('a receipt whose fields throw when they are read was given all the same', async () => {
  const persistence = open(
    givingBack(() =>
      of({
        get backendId() {
          throw new Error('hostile')
        },
      }),
    ),
  )
  persistence.created('note', note('n1'))
  persistence.created('note', note('n2'))
  await pass(minute)
  expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'synced' })
  expect(await persistence.metadata('note', 'n2')).toMatchObject({ syncStatus: 'synced' })
})
