import { AuthError, createEventBus } from 'rx-outbox'
import { of, throwError } from 'rxjs'
import { expect, test } from 'vitest'
import { hour, now, pass, second, useFakeTime } from '../../support/fakeTime.ts'
import { type Entities, heard, open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

useFakeTime()

const loggedOut = () => throwError(() => new AuthError('log in', { status: 401 }))

test('a 401 pauses its entity type with one auth:required, and costs no attempt', async () => {
  const remote = new Remote(({ id }) => (id.startsWith('n') ? loggedOut() : of({})))
  const persistence = open(remote)
  const asked = heard(persistence.bus, 'auth:required')
  const failures = heard(persistence.bus, 'entity:persist-error', 'queue:task-failed', 'queue:task-retrying')
  for (let i = 0; i < 10; i++) persistence.created('note', note(`n${i}`))
  persistence.created('tag', note('t1'))
  await pass(1_000 * hour)
  expect(asked).toEqual([{ name: 'auth:required', payload: { entityType: 'note' } }])
  expect(remote.log).toEqual(['create n0 text', 'create t1 text'])
  expect(failures).toEqual([])
  expect(await persistence.metadata('note', 'n0')).toMatchObject({ syncStatus: 'pending', retryCount: 0 })
})

test('status$ shows who waits for a login; authorized() goes on', async () => {
  const remote = new Remote(loggedOut)
  const persistence = open(remote)
  const seen: unknown[] = []
  persistence.status$.subscribe(({ authRequired, pending, waiting }) => seen.push([...authRequired, pending, waiting]))
  persistence.created('note', note('n1'))
  persistence.created('note', note('n2'))
  await now()
  expect(seen.at(-1)).toEqual(['note', 0, 2])
  await persistence.authorized('tag')
  await now()
  expect(remote.calls).toHaveLength(1)
  remote.answer = () => of({})
  await persistence.authorized('note')
  await now()
  expect(seen.at(-1)).toEqual([0, 0])
  expect(remote.log).toEqual(['create n1 text', 'create n1 text', 'create n2 text'])
  expect(remote.calls.map(({ attempt }) => attempt.attempt)).toEqual([1, 1, 1])
})

test('others in flight finish', async () => {
  const remote = new Remote(({ id }) =>
    id === 'n0' ? loggedOut() : new Promise((done) => void setTimeout(() => done({}), second)),
  )
  const persistence = open(remote, { concurrency: 3 })
  const receipts = ['n1', 'n0', 'n2'].map((id) => persistence.created('note', note(id)))
  await pass(second)
  expect(await receipts[0]?.settled).toMatchObject({ status: 'persisted' })
  expect(remote.calls.filter(({ id, attempt }) => id !== 'n0' && attempt.signal.aborted)).toEqual([])
})

test('whoever was in flight with the old token does not ask again', async () => {
  const bus = createEventBus<Entities>()
  let token = 'old'
  const remote = new Remote(({ id }) => {
    const used = token
    const wait = id === 'n0' ? second : 5 * second
    return new Promise((done, fail) => {
      setTimeout(() => (used === 'new' ? done({}) : fail(new AuthError('log in', { status: 401 }))), wait)
    })
  })
  const persistence = open(remote, { bus, concurrency: 3 })
  const asked = heard(bus, 'auth:required')
  bus.on('auth:required', async ({ entityType }) => {
    token = 'new'
    await persistence.authorized(entityType)
  })
  const receipts = ['n0', 'n1', 'n2'].map((id) => persistence.created('note', note(id)))
  await pass(20 * second)
  expect(asked).toHaveLength(1)
  expect(await Promise.all(receipts.map(({ settled }) => settled))).toMatchObject([
    { status: 'persisted' },
    { status: 'persisted' },
    { status: 'persisted' },
  ])
})

test('a login that does not help is asked for again', async () => {
  const persistence = open(new Remote(loggedOut))
  const asked = heard(persistence.bus, 'auth:required')
  persistence.created('note', note('n1'))
  await now()
  await persistence.authorized('note')
  await now()
  expect(asked).toHaveLength(2)
})

test('a plain error with status 401 is one as well', async () => {
  const persistence = open(new Remote(() => throwError(() => ({ response: { status: 401 } }))))
  const asked = heard(persistence.bus, 'auth:required')
  persistence.created('note', note('n1'))
  await now()
  expect(asked).toHaveLength(1)
})

test('tasks expire while they wait for a login', async () => {
  const persistence = open(new Remote(loggedOut))
  const receipt = persistence.created('note', note('n1'), { maxAge: hour })
  await pass(hour)
  expect(await receipt.settled).toMatchObject({ status: 'expired', error: { category: 'auth', status: 401 } })
})
