import { memoryStore, type PersistenceMetadata, PermanentError } from 'rx-outbox'
import { of } from 'rxjs'
import { expect, test } from 'vitest'
import { minute, now, pass, start, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { accepts, fails, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

type Outbox = ReturnType<typeof open>

/** The states a note went through, as `metadata$` told them. */
function states(persistence: Outbox, id: string): string[] {
  const seen: string[] = []
  persistence.metadata$('note', id).subscribe((metadata) => {
    const state = metadata?.syncStatus ?? 'unknown'
    if (seen.at(-1) !== state) seen.push(state)
  })
  return seen
}

const soon = () => new Promise<object>((done) => void setTimeout(() => done({ backendId: 'b1' }), 10))

test('an entity goes from unknown to pending, syncing and synced, and to unknown once it is deleted', async () => {
  const persistence = open(new Remote(soon))
  const seen = states(persistence, 'n1')
  persistence.created('note', note('n1'))
  await pass(10)
  persistence.deleted('note', 'n1')
  await pass(10)
  expect(seen).toEqual(['unknown', 'pending', 'syncing', 'synced', 'pending', 'syncing', 'unknown'])
})

test('between retries it is pending, with the count and the error; then it is an error', async () => {
  const persistence = open(new Remote(fails(() => Object.assign(new Error('broken'), { status: 503 }))))
  persistence.created('note', note('n1'))
  await now()
  const error = { category: 'server', message: 'broken', status: 503 }
  expect(await persistence.metadata('note', 'n1')).toEqual({
    syncStatus: 'pending',
    retryCount: 1,
    maxRetries: 3,
    error,
  })
  await pass(3 * minute)
  expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'pending', retryCount: 2 })
  await pass(12 * minute)
  await pass(48 * minute)
  expect(await persistence.metadata('note', 'n1')).toEqual({ syncStatus: 'error', retryCount: 3, maxRetries: 3, error })
})

test('what comes later than the first is pending while the first is in flight: syncing', async () => {
  const persistence = open(new Remote(soon))
  persistence.created('note', note('n1', 'a'))
  await now()
  persistence.updated('note', note('n1', 'b'))
  await now()
  expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'syncing' })
})

test('error stands above all others, and goes with the dead letter', async () => {
  const remote = new Remote(
    inTurn(
      accepts,
      fails(() => new PermanentError('no')),
      soon,
    ),
  )
  const persistence = open(remote)
  persistence.created('note', note('n1'))
  await now()
  const dead = persistence.updated('note', note('n1', 'bad'))
  await now()
  persistence.updated('note', note('n1', 'good'))
  await now()
  expect(remote.calls).toHaveLength(3)
  expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'error', error: { message: 'no' } })
  await pass(10)
  expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'error' })
  await persistence.discard(dead.taskId)
  expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'synced', retryCount: 0 })
})

test('backendId, version and lastSyncAt come from the receipt, and outlive restarts', async () => {
  const storage = memoryStore()
  const first = open(new Remote(() => of({ backendId: 'b1', version: 'etag-1', syncedAt: 123 })), { storage })
  first.created('note', note('n1'))
  await now()
  await first.close()
  const second = open(new Remote(() => of({})), { storage })
  expect(await second.metadata('note', 'n1')).toEqual({
    syncStatus: 'synced',
    backendId: 'b1',
    version: 'etag-1',
    lastSyncAt: 123,
    retryCount: 0,
    maxRetries: 3,
  })
  await pass(minute)
  second.updated('note', note('n1', 'new'))
  await now()
  // The backend's id stays; a version that nobody confirmed does not.
  expect(await second.metadata('note', 'n1')).toEqual({
    syncStatus: 'synced',
    backendId: 'b1',
    lastSyncAt: start + minute,
    retryCount: 0,
    maxRetries: 3,
  })
})

test('metadata(type) is a map of all of a type, after opening', async () => {
  const persistence = open(new Remote(), { online$: network(false) })
  persistence.created('note', note('n1'))
  persistence.created('note', note('n2'))
  persistence.created('tag', note('t1'))
  await persistence.idle()
  const all: Map<string, PersistenceMetadata> = await persistence.metadata('note')
  expect([...all.keys()]).toEqual(['n1', 'n2'])
  expect(await persistence.metadata('note', 'n3')).toBeUndefined()
})

test('metadata right at the start waits until the journal is read', async () => {
  const storage = memoryStore()
  const first = open(new Remote(), { storage })
  first.created('note', note('n1'))
  await now()
  await first.close()
  const second = open(new Remote(), { storage })
  expect(await second.metadata('note', 'n1')).toMatchObject({ syncStatus: 'synced' })
})

test('of a receipt only what has the right type is believed', async () => {
  const receipts: object[] = [
    { backendId: 7, version: {}, syncedAt: 'yesterday' },
    { backendId: '', version: NaN, syncedAt: Infinity },
  ]
  for (const receipt of receipts) {
    const persistence = open(new Remote(() => of(receipt)))
    persistence.created('note', note('n1'))
    await now()
    const metadata = await persistence.metadata('note', 'n1')
    expect(metadata).toMatchObject({ syncStatus: 'synced', lastSyncAt: start })
    expect(metadata?.version).toBeUndefined()
    expect(typeof metadata?.backendId === 'number').toBe(false)
  }
})

test('metadata$ says the same thing once, frozen', async () => {
  const persistence = open(new Remote())
  const seen: (PersistenceMetadata | undefined)[] = []
  persistence.metadata$('note', 'n1').subscribe((metadata) => seen.push(metadata))
  persistence.created('note', note('n2'))
  persistence.created('note', note('n1'))
  await now()
  persistence.created('note', note('n3'))
  await now()
  expect(seen.map((metadata) => metadata?.syncStatus)).toEqual([undefined, 'pending', 'syncing', 'synced'])
  expect(seen.slice(1).every((metadata) => Object.isFrozen(metadata))).toBe(true)
})

test('ids that look like members of every object are ids like any other', async () => {
  const persistence = open(new Remote())
  for (const id of ['__proto__', 'constructor', 'toString']) persistence.created('note', note(id))
  await now()
  expect([...(await persistence.metadata('note')).keys()]).toEqual(['__proto__', 'constructor', 'toString'])
})
