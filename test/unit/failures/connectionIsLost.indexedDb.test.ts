import localforage from 'localforage'
import { VirtualTimeScheduler } from 'rxjs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { StorageError } from '../../../lib/errors.ts'
import { joined } from '../../../lib/storage/joined.ts'
import type { JournalStore } from '../../../lib/storage/journalStore.ts'
import { localforageStore } from '../../../lib/storage/localforage.ts'

/** Connections that the browser dropped: every transaction on them fails, until they are closed. */
const dropped = new Map<IDBDatabase, () => IDBTransaction>()
const connections = new Set<IDBDatabase>()
let count = 0
let name: string
let store: JournalStore

beforeEach(async () => {
  const real = { ...Object.getOwnPropertyDescriptors(IDBDatabase.prototype) }
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (this: IDBDatabase, ...args) {
    connections.add(this)
    return dropped.get(this)?.() ?? Reflect.apply(real.transaction.value!, this, args)
  })
  vi.spyOn(IDBDatabase.prototype, 'close').mockImplementation(function (this: IDBDatabase) {
    dropped.delete(this)
    connections.delete(this)
    Reflect.apply(real.close.value!, this, [])
  })
  name = `lost ${count++}`
  store = localforageStore(localforage.createInstance({ name, driver: localforage.INDEXEDDB }))
  await store.append('space', 'main', new TextEncoder().encode('one'))
})
afterEach(() => {
  vi.restoreAllMocks()
  dropped.clear()
  connections.clear()
})

function drop(error: Error): void {
  for (const connection of connections) {
    dropped.set(connection, () => {
      throw error
    })
  }
}

const textIn = async () => new TextDecoder().decode(joined(await store.read('space', 'main')))

const lost = new DOMException(
  'Connection to Indexed Database server lost. Refresh the page to try again',
  'UnknownError',
)
const closing = new DOMException('The database connection is closing', 'InvalidStateError')

test.each([lost, closing])('what was asked then is done on a new one: %s', async (error) => {
  drop(error)
  await store.append('space', 'main', new TextEncoder().encode('two'))
  drop(error)
  expect(await textIn()).toBe('onetwo')
  drop(error)
  expect(await store.list('space')).toEqual(['main'])
  drop(error)
  await store.replace('space', 'main', new TextEncoder().encode('all'))
  expect(await textIn()).toBe('all')
})

test('one that stays lost is an error, never an empty journal; and it is gone on with when it is back', async () => {
  const always = vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(() => {
    throw lost
  })
  await expect(textIn()).rejects.toBeInstanceOf(StorageError)
  await expect(store.list('space')).rejects.toBeInstanceOf(StorageError)
  await expect(store.append('space', 'main', new Uint8Array([1]))).rejects.toHaveProperty('cause', lost)
  always.mockRestore()
  await store.append('space', 'main', new TextEncoder().encode('two'))
  expect(await textIn()).toBe('onetwo')
})

test('one whose transactions never end is given up after the time-out, and the next call has a new one', async () => {
  const scheduler = new VirtualTimeScheduler()
  const instance = localforage.createInstance({ name, driver: localforage.INDEXEDDB })
  const patient = localforageStore(instance, { scheduler })
  expect(await patient.list('space')).toEqual(['main'])
  for (const connection of connections) dropped.set(connection, () => Object.create(IDBTransaction.prototype) as never)
  vi.spyOn(IDBTransaction.prototype, 'objectStore').mockReturnValueOnce({
    openKeyCursor: () => ({}),
    openCursor: () => ({}),
  } as never)
  const hanging = patient.list('space').catch((error: unknown) => error)
  await instance.ready()
  await new Promise((resolve) => void setTimeout(resolve))
  scheduler.flush()
  expect(await hanging).toHaveProperty('message', expect.stringContaining('no answer in time'))
  expect(await patient.list('space')).toEqual(['main'])
})

test('another tab that upgrades the database, or removes it, is not held up, and this one goes on', async () => {
  const version = await new Promise<number>((resolve, reject) => {
    const request = indexedDB.open(name, 99)
    request.addEventListener('blocked', () => reject(new Error('held up')))
    request.addEventListener('success', () => {
      request.result.close()
      resolve(request.result.version)
    })
  })
  expect(version).toBe(99)
  await store.append('space', 'main', new TextEncoder().encode('two'))
  expect(await textIn()).toBe('onetwo')
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    request.addEventListener('blocked', () => reject(new Error('held up')))
    request.addEventListener('success', () => resolve())
  })
})
