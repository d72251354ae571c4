import { createPersistence, memoryStore, opfsStore } from 'rx-outbox'
import localforage from 'localforage'
import { asyncScheduler, firstValueFrom, VirtualTimeScheduler } from 'rxjs'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { environment } from '../../../lib/environment.ts'
import { chooseStore, type StoreWishes } from '../../../lib/storage/chooseStore.ts'
import { localforageStore } from '../../../lib/storage/localforage.ts'
import { type FakeOpfs, useOpfs } from '../../support/fakeOpfs.ts'

const wishes: StoreWishes = { durability: 'relaxed', workerUrl: undefined, scheduler: asyncScheduler }
const createInstance = localforage.createInstance.bind(localforage)
let opfs: FakeOpfs
let count = 0

beforeEach(() => {
  opfs = useOpfs()
  // localforage keeps connections open: each test has a database that was never opened.
  const name = `choose ${count++}`
  vi.spyOn(localforage, 'createInstance').mockImplementation((options) => createInstance({ ...options, name }))
})
afterEach(() => {
  vi.restoreAllMocks()
})

function noWorker(): void {
  vi.spyOn(environment, 'opfsWorker').mockImplementation(() => {
    throw new DOMException('Refused by the Content Security Policy', 'SecurityError')
  })
}

function noIndexedDb(): void {
  vi.spyOn(indexedDB, 'open').mockImplementation(() => {
    throw new DOMException('Not in a private window', 'SecurityError')
  })
}

const kindOf = async () => {
  const { store, why } = await chooseStore(undefined, wishes).made
  return [store.kind, why]
}

describe('without the option storage', () => {
  test('files are chosen where they work, and nothing is to be explained', async () => {
    expect(await kindOf()).toEqual(['opfs', undefined])
  })

  test('localforage is chosen where no worker may write files', async () => {
    noWorker()
    expect(await kindOf()).toEqual(['localforage', 'opfs: Opening it failed: Refused by the Content Security Policy.'])
  })

  test('memory is chosen where neither works', async () => {
    noWorker()
    noIndexedDb()
    const [kind, why] = await kindOf()
    expect(kind).toBe('memory')
    expect(why).toMatch(
      /^opfs: Opening it failed: .*Policy\. localforage: Listing the journals failed: there is no such storage here/,
    )
  })

  test('a browser that another tab has made busy with a trial is one that can', async () => {
    await opfsStore().try()
    const file = opfs.files.get('/rx-outbox/try')
    if (file) file.held = true
    expect(await kindOf()).toEqual(['opfs', undefined])
  })

  test('a trial writes nothing: a full disk is no reason for another store', async () => {
    opfs.interfere = (call) => {
      if (call === 'write') throw new DOMException('No room', 'QuotaExceededError')
      return undefined
    }
    expect(await kindOf()).toEqual(['opfs', undefined])
  })

  test('what is asked meanwhile waits, and the choice is made once', async () => {
    const { store, made } = chooseStore(undefined, wishes)
    await Promise.all([
      store.append('space', 'main', new Uint8Array([1])),
      store.append('space', 'other', new Uint8Array([2])),
    ])
    expect((await store.list('space')).toSorted()).toEqual(['main', 'other'])
    expect(await store.read('space', 'main')).toEqual([new Uint8Array([1])])
    expect((await made).store.kind).toBe('opfs')
    expect(opfs.workers).toHaveLength(1)
    await store.close()
    expect(opfs.workers[0]?.alive).toBe(false)
  })

  test('the browser is asked once to keep what is stored, unless that is memory', async () => {
    const persisted = vi.spyOn(environment, 'persisted').mockResolvedValue(true)
    expect(await chooseStore(undefined, wishes).persisted).toBe(true)
    expect(persisted.mock.calls).toEqual([[true]])
    noWorker()
    noIndexedDb()
    expect(await chooseStore(undefined, wishes).persisted).toBeUndefined()
    expect(persisted).toHaveBeenCalledTimes(1)
  })
})

describe('an open that another tab blocks for ever', () => {
  test('is not waited for: memory is chosen after 10 s, and why is said', async () => {
    vi.spyOn(environment, 'hasOpfs').mockReturnValue(false)
    vi.spyOn(indexedDB, 'open').mockImplementation(() => new EventTarget() as IDBOpenDBRequest)
    const scheduler = new VirtualTimeScheduler()
    const { made } = chooseStore(undefined, { ...wishes, scheduler })
    await new Promise((resolve) => void setTimeout(resolve, 20))
    scheduler.flush()
    const { store, why } = await made
    expect(store.kind).toBe('memory')
    expect(why).toBe(
      'There is no OPFS here; it needs HTTPS. localforage: Opening it failed: the browser gave no answer in time. Reload the page; close other tabs of it.',
    )
  })

  test('nor is a worker that never answers: localforage is chosen', async () => {
    const worker = opfs.worker.bind(opfs)
    vi.spyOn(opfs, 'worker').mockImplementation(() => Object.assign(worker(), { silent: true }))
    const scheduler = new VirtualTimeScheduler()
    const { made } = chooseStore(undefined, { ...wishes, scheduler })
    await new Promise((resolve) => void setTimeout(resolve))
    while (opfs.workers[0]?.alive) {
      scheduler.flush()
      await new Promise((resolve) => void setTimeout(resolve))
    }
    expect((await made).store.kind).toBe('localforage')
  })
})

describe('journals of an earlier run', () => {
  test('in a store that is not the one chosen are not forgotten', async () => {
    await localforageStore().append('space', 'leader', new Uint8Array([7]))
    onTestFinished(() => localforageStore().remove('space', 'leader'))
    const [older] = await chooseStore(undefined, wishes).others()
    expect(older?.kind).toBe('localforage')
    expect(await older?.list('space')).toEqual(['leader'])
  })

  test('in files are there to be read and removed where no worker may write', async () => {
    const before = opfsStore()
    await before.append('space', 'leader', new Uint8Array([7]))
    await before.close()
    noWorker()
    const choice = chooseStore(undefined, wishes)
    expect((await choice.made).store.kind).toBe('localforage')
    const [older] = await choice.others()
    expect(await older?.read('space', 'leader')).toEqual([new Uint8Array([7])])
    await older?.remove('space', 'leader')
    expect(await older?.list('space')).toEqual([])
  })

  test('are none of a store that was handed in', async () => {
    expect(await chooseStore(memoryStore(), wishes).others()).toEqual([])
    expect(await chooseStore(localforage.INDEXEDDB, wishes).others()).toEqual([])
  })
})

describe('status$.storage', () => {
  async function storageOf(options: Parameters<typeof createPersistence>[0]['options']) {
    const persistence = createPersistence({ strategies: {}, options: { locks: null, ...options } })
    onTestFinished(() => persistence.close())
    await persistence.idle()
    return (await firstValueFrom(persistence.status$)).storage
  }

  test('says what files promise, relaxed and strict', async () => {
    vi.spyOn(environment, 'persisted').mockResolvedValue(false)
    expect(await storageOf({})).toEqual({
      kind: 'opfs',
      durability: 'relaxed',
      survives: 'kill',
      state: 'ok',
      persisted: false,
    })
    expect(await storageOf({ durability: 'strict', name: 'strict' })).toMatchObject({
      durability: 'strict',
      survives: 'power loss',
    })
  })

  test('says what is left where files do not work', async () => {
    noWorker()
    expect(await storageOf({ durability: 'strict' })).toEqual({
      kind: 'localforage',
      durability: 'relaxed',
      survives: 'reload',
      why: 'opfs: Opening it failed: Refused by the Content Security Policy.',
      state: 'ok',
    })
  })
})
