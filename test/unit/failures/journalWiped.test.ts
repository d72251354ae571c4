import { memoryStore, NetworkError, StorageError } from 'rx-outbox'
import { of } from 'rxjs'
import { expect, test } from 'vitest'
import type { LocalForageLike } from '../../../lib/api.ts'
import { crc32 } from '../../../lib/storage/crc32.ts'
import { localforageStore } from '../../../lib/storage/localforage.ts'
import { readMirror } from '../../../lib/storage/readMirror.ts'
import { fakeForage, type FakeForage } from '../../support/fakeForage.ts'
import { hour, minute, now, pass, second, start, useFakeTime } from '../../support/fakeTime.ts'
import { heard, network, open } from '../../support/opened.ts'
import { fails, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

type Opened = ReturnType<typeof open>

/** Opens, and remembers what is told of the storage. */
function opening(remote: Remote, options: Parameters<typeof open>[1] = {}) {
  const persistence = open(remote, options)
  const told = heard(persistence.bus, 'storage:lost', 'storage:recovered', 'storage:degraded')
  const errors: unknown[] = []
  persistence.errors$.subscribe((error) => errors.push(error))
  const states: string[] = []
  persistence.status$.subscribe(({ storage: { state } }) => states.at(-1) !== state && states.push(state))
  return { persistence, told, errors, states }
}

/** An app that was offline: what it wrote is in the store and in the mirror. */
async function offline(
  life: (persistence: Opened) => void | Promise<void>,
  around: Parameters<typeof open>[1] = {},
): Promise<FakeForage> {
  const snapshot = fakeForage()
  const persistence = open(new Remote(), { online$: network(false), snapshot, ...around })
  await life(persistence)
  await now()
  await persistence.idle()
  await persistence.close()
  return snapshot
}

async function mirrored(snapshot: FakeForage, space = 'rx-outbox/') {
  return readMirror(localforageStore(snapshot), space)
}

test('everything that waited is back, in order, under the same keys, and it is said what may be missing', async () => {
  const before = new Remote()
  const snapshot = fakeForage()
  const first = open(before, { snapshot, online$: network(false) })
  const keys = [
    first.created('note', note('n1', 'a')),
    first.created('tag', note('t1', 'a'), { dependsOn: [{ entityType: 'note', id: 'n1' }], priority: 5 }),
    first.deleted('note', 'n2'),
  ].map(({ taskId }) => taskId)
  await now()
  await first.idle()
  await first.close()
  await pass(minute)
  const remote = new Remote()
  const { persistence, told, errors, states } = opening(remote, { snapshot })
  await now()
  expect(told).toEqual([
    { name: 'storage:lost', payload: { error: expect.any(StorageError), since: start, lsn: expect.any(Number) } },
    { name: 'storage:recovered', payload: { tasks: 3, dead: 0, entities: 0 } },
  ])
  expect(errors).toEqual([told[0]?.payload && 'error' in told[0].payload ? told[0].payload.error : 'none'])
  expect(String(errors[0])).toContain('2025-01-06T00:00:00.000Z')
  expect(states).toEqual(['opening', 'lost', 'ok'])
  expect(remote.log).toEqual(['create n1 a', 'create t1 a', 'delete n2'])
  expect(remote.calls.map(({ attempt }) => attempt.idempotencyKey)).toEqual(keys)
  await persistence.idle()
  await persistence.close()
})

test('dead letters, retries, metadata and progress come back as they were', async () => {
  const snapshot = fakeForage()
  const options = { snapshot, retryConfig: { maxRetries: 1, initialDelay: hour }, breaker: false as const }
  const down = fails(() => new NetworkError('down'))
  const answer = ({ id, attempt }: { id: string; attempt: { saveProgress: (value: unknown) => Promise<void> } }) =>
    id === 'n1'
      ? of({ backendId: 'b1', version: 7 })
      : attempt.saveProgress('half').then(() => Promise.reject(new NetworkError('down')))
  const first = open(new Remote(answer), options)
  first.created('note', note('n1'))
  first.created('note', note('n2'))
  await now()
  await pass(2 * hour)
  first.created('note', note('n3'))
  await pass(second)
  await first.idle()
  const dead = (await firstOf(first)).map(({ id, error }) => ({ id, error }))
  const metadata = await first.metadata('note')
  await first.close()

  const remote = new Remote(inTurn(down))
  const { persistence, told } = opening(remote, options)
  await now()
  expect(told.at(-1)?.payload).toEqual({ tasks: 1, dead: 1, entities: 1 })
  expect(await persistence.metadata('note')).toEqual(metadata)
  expect((await firstOf(persistence)).map(({ id, error }) => ({ id, error }))).toEqual(dead)
  await pass(hour)
  expect(remote.calls.map(({ id, attempt }) => [id, attempt.progress, attempt.attempt])).toEqual([['n3', 'half', 2]])
})

function firstOf(persistence: Opened) {
  return new Promise<readonly { id: string; error?: unknown }[]>((resolve) => persistence.dead$.subscribe(resolve))
}

test('what was settled before is not sent again', async () => {
  const snapshot = fakeForage()
  const first = open(new Remote(), { snapshot })
  first.created('note', note('n1'))
  first.created('note', note('n2'))
  await now()
  await first.idle()
  await first.close()
  const remote = new Remote()
  const { persistence, told } = opening(remote, { snapshot })
  await pass(hour)
  expect(remote.log).toEqual([])
  expect(told.at(-1)?.payload).toEqual({ tasks: 0, dead: 0, entities: 2 })
  expect((await persistence.metadata('note', 'n1'))?.syncStatus).toBe('synced')
})

test('the restored journal is stored before anything is sent, and the next start finds nothing wrong', async () => {
  const snapshot = await offline((persistence) => void persistence.created('note', note('n1')))
  const storage = memoryStore()
  let stored = 0
  const { append, replace } = storage
  storage.append = (...args) => append(...args).then(() => void stored++)
  storage.replace = (...args) => replace(...args).then(() => void stored++)
  const remote = new Remote(() => (expect(stored).toBeGreaterThan(0), of({})))
  const { persistence } = opening(remote, { snapshot, storage })
  await now()
  expect(remote.log).toHaveLength(1)
  await persistence.idle()
  await persistence.close()
  const { told, persistence: again } = opening(remote, { snapshot, storage })
  await pass(hour)
  await again.idle()
  expect(told).toEqual([])
  expect(remote.log).toHaveLength(1)
})

test('killed while the journal is being restored, it is restored at the next start', async () => {
  const snapshot = await offline((persistence) => void persistence.created('note', note('n1')))
  const storage = memoryStore()
  const { replace } = storage
  storage.replace = () => new Promise(() => undefined)
  const never = opening(new Remote(), { snapshot, storage })
  await now()
  void never.persistence.close()
  await pass(minute)
  storage.replace = replace
  const remote = new Remote()
  opening(remote, { snapshot, storage })
  await now()
  expect(remote.log).toEqual(['create n1 text'])
})

test('both gone: nothing is known, nothing is said', async () => {
  await offline((persistence) => void persistence.created('note', note('n1')))
  const { told, errors } = opening(new Remote(), { snapshot: fakeForage() })
  await pass(hour)
  expect([told, errors]).toEqual([[], []])
})

test('the mirror gone: it is written anew, and nothing is said', async () => {
  const storage = memoryStore()
  const snapshot = await offline((persistence) => void persistence.created('note', note('n1')), { storage })
  snapshot.items.clear()
  const { told, errors, persistence } = opening(new Remote(), { storage, snapshot, online$: network(false) })
  await pass(second)
  expect((await mirrored(snapshot))?.records.filter(({ kind }) => kind === 'enqueued')).toHaveLength(1)
  expect([told, errors]).toEqual([[], []])
  await persistence.close()
})

test('wiped while the app runs and writes on: the beginning comes from the mirror, the end from the journal', async () => {
  const storage = memoryStore()
  const snapshot = fakeForage()
  const online$ = network(false)
  const remote = new Remote()
  const first = open(remote, { storage, snapshot, online$ })
  first.created('note', note('n1'))
  first.created('note', note('n2'))
  first.created('note', note('n3'))
  await now()
  await first.idle()
  await storage.remove('rx-outbox/', 'leader')
  // What the journal still hears of is settled there, and only there.
  snapshot.beforeWrite = () => Promise.reject(new Error('the mirror lags'))
  await first.discard(await idOf(first, 'n2'))
  first.created('note', note('n4'))
  await now()
  void first.close()
  await pass(second * 3)

  snapshot.beforeWrite = () => undefined
  const again = opening(remote, { storage, snapshot })
  await now()
  expect(remote.log).toEqual(['create n1 text', 'create n3 text', 'create n4 text'])
  expect(again.told.map(({ name }) => name)).toEqual(['storage:lost', 'storage:recovered'])
  await again.persistence.idle()
  await again.persistence.close()
  const last = opening(remote, { storage, snapshot })
  await now()
  expect(last.told).toEqual([])
  expect(remote.log).toHaveLength(3)
})

async function idOf(persistence: Opened, entityId: string): Promise<string> {
  const tasks = await new Promise<readonly { id: string; entityId: string }[]>((resolve) =>
    persistence.queue$.subscribe((queue) => queue.length > 0 && resolve(queue)),
  )
  return tasks.find((task) => task.entityId === entityId)?.id ?? ''
}

test('wiped while the app runs, without a mirror: it is said once, and what is left is delivered', async () => {
  const storage = memoryStore()
  const first = open(new Remote(), { storage, online$: network(false) })
  first.created('note', note('n1'))
  await now()
  await storage.remove('rx-outbox/', 'leader')
  first.created('note', note('n2'))
  await now()
  await first.close()
  const remote = new Remote()
  const { told, states, persistence } = opening(remote, { storage })
  await now()
  expect(remote.log).toEqual(['create n2 text'])
  expect(told).toEqual([{ name: 'storage:lost', payload: { error: expect.any(StorageError), lsn: 0 } }])
  expect(states).toEqual(['opening', 'lost'])
  await persistence.close()
  const again = opening(remote, { storage })
  await now()
  expect(again.told).toEqual([])
})

test('a journal that was begun anew, while the mirror could not be read, takes over what the mirror holds', async () => {
  const snapshot = await offline((persistence) => void persistence.created('note', note('n1')))
  const storage = memoryStore()
  const unreadable = { ...snapshot, keys: () => Promise.reject(new Error('the disk is busy')) }
  const anew = opening(new Remote(), { storage, snapshot: unreadable, online$: network(false) })
  anew.persistence.created('note', note('n2'))
  await pass(minute)
  expect(anew.told).toEqual([])
  expect(String(anew.errors[0])).toMatch(/could not be read/)
  await anew.persistence.close()
  // Nor is it written over by one that could not read it at first.
  let isBusy = true
  const { getItem } = snapshot
  const blind: LocalForageLike = {
    ...snapshot,
    getItem: (key) => (isBusy ? Promise.reject(new Error('the disk is busy')) : getItem(key)),
  }
  const still = opening(new Remote(), { storage, snapshot: blind, online$: network(false) })
  await now()
  isBusy = false
  await pass(minute)
  await still.persistence.close()

  const remote = new Remote()
  const last = opening(remote, { storage, snapshot })
  await now()
  expect(remote.log.toSorted()).toEqual(['create n1 text', 'create n2 text'])
  expect(last.told.map(({ name }) => name)).toEqual(['storage:lost', 'storage:recovered'])
  await last.persistence.idle()
  await last.persistence.close()
  const once = opening(remote, { storage, snapshot })
  await now()
  expect([once.told, remote.log.length]).toEqual([[], 2])
  expect((await mirrored(snapshot))?.head.opened.epoch).toBeGreaterThan(1)
})

test('where the mirror is behind, what it does not know is gone, and told to be', async () => {
  const snapshot = fakeForage()
  const first = open(new Remote(), { snapshot, online$: network(false) })
  for (let i = 0; i < 5; i++) first.created('note', note(`n${i}`))
  await now()
  await first.idle()
  await pass(minute)
  snapshot.beforeWrite = () => new Promise(() => undefined)
  for (let i = 5; i < 8; i++) first.created('note', note(`n${i}`))
  await pass(second)
  void first.close()
  await pass(minute)
  const { told } = opening(new Remote(), { snapshot, online$: network(false) })
  await now()
  snapshot.beforeWrite = () => undefined
  expect(told.map(({ payload }) => payload)).toEqual([
    { error: expect.any(StorageError), since: start, lsn: expect.any(Number) },
    { tasks: 5, dead: 0, entities: 0 },
  ])
})

test('what came back may have been sent: it is not joined with what comes, and past its window it is asked about', async () => {
  const snapshot = await offline((persistence) => {
    persistence.created('note', note('n1', 'a'))
    persistence.created('tag', note('t1', 'a'))
  })
  await pass(hour)
  const asked: string[] = []
  const remote = new Remote()
  const forgetful = Object.assign(new Remote(), {
    keyWindow: minute,
    reconcile: ({ id }: { id: string }) => (asked.push(id), of({ applied: true as const })),
  })
  const online$ = network(false)
  const persistence = open(remote, { snapshot, online$ }, { note: remote, tag: forgetful })
  const receipt = persistence.updated('note', note('n1', 'b'))
  await now()
  online$.next(true)
  await now()
  expect(remote.log).toEqual(['create n1 a', 'update n1 b'])
  expect(asked).toEqual(['t1'])
  expect(forgetful.log).toEqual([])
  expect((await receipt.settled).status).toBe('persisted')
})

test('without a way to ask, it becomes a dead letter in doubt, and is not sent blindly', async () => {
  const snapshot = await offline((persistence) => void persistence.created('note', note('n1')))
  const remote = Object.assign(new Remote(), { keyWindow: 0 })
  const persistence = open(remote, { snapshot }, { note: remote, tag: remote })
  await pass(hour)
  expect(remote.log).toEqual([])
  expect(await firstOf(persistence)).toMatchObject([{ entityId: 'n1', inDoubt: true }])
})

test('a damaged record of the mirror is put aside and told; its neighbours are back', async () => {
  const snapshot = await offline((persistence) => {
    for (const id of ['n1', 'n2', 'n3']) persistence.created('note', note(id, `text of ${id}`))
  })
  for (const [key, value] of snapshot.items) {
    if (!ArrayBuffer.isView(value)) continue
    const bytes = new Uint8Array(value.buffer)
    const at = new TextDecoder('latin1').decode(bytes).indexOf('text of n2')
    if (at < 0) continue
    bytes[at] = 88
    snapshot.items.set(key, bytes)
  }
  const storage = memoryStore()
  const remote = new Remote()
  const { errors } = opening(remote, { snapshot, storage })
  await now()
  expect(remote.log).toEqual(['create n1 text of n1', 'create n3 text of n3'])
  expect(errors.map(String).join()).toMatch(/1 records of the snapshot/)
  const kept = await storage.read('rx-outbox/', 'quarantine')
  expect(kept.map((bytes) => new TextDecoder().decode(bytes)).join()).toContain('Xext of n2')
})

test('each owner gets back what is his', async () => {
  const snapshot = fakeForage()
  for (const owner of ['ann', 'bob/ann']) {
    const persistence = open(new Remote(), { snapshot, owner, online$: network(false) })
    persistence.created('note', note('n1', owner))
    await now()
    await persistence.idle()
    await persistence.close()
  }
  for (const owner of ['ann', 'bob/ann']) {
    const remote = new Remote()
    const { told } = opening(remote, { snapshot, owner })
    await now()
    expect(remote.log).toEqual([`create n1 ${owner}`])
    expect(told.at(-1)?.payload).toEqual({ tasks: 1, dead: 0, entities: 0 })
  }
})

test('a mirror of a newer version is left as it is', async () => {
  const snapshot = await offline((persistence) => void persistence.created('note', note('n1')))
  const store = localforageStore(snapshot)
  const header = new TextEncoder().encode('rx2 0 00000000')
  const checksum = crc32(header).toString(16).padStart(8, '0')
  const newer = new TextEncoder().encode(`${checksum} rx2 0 00000000\n`)
  for (const log of await store.list('/mirror/rx-outbox/')) await store.replace('/mirror/rx-outbox/', log, newer)
  const before = structuredClone([...snapshot.items])
  const { persistence, errors, told } = opening(new Remote(), { snapshot })
  persistence.created('note', note('n2'))
  await pass(hour)
  await persistence.close()
  expect(errors.map((error) => String((error as Error).cause)).join()).toMatch(/newer version/)
  expect(told).toEqual([])
  expect([...snapshot.items]).toEqual(before)
})
