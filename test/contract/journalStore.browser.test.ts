import localforage from 'localforage'
import { afterEach, describe, expect, test } from 'vitest'
import { localforageStore } from '../../lib/storage/localforage.ts'
import { journalStoreContract } from '../../lib/testing/journalStoreContract.ts'
import type { JournalStoreFixture } from '../../lib/testing/journalStoreTrial.ts'

const rules = journalStoreContract.map(({ name, check }) => [name, check] as const)
const names: string[] = []

function onDriver(driver: string) {
  return async (): Promise<JournalStoreFixture> => {
    const name = `contract ${names.length} ${driver}`
    names.push(name)
    const open = () => localforageStore(localforage.createInstance({ name, storeName: 'journals', driver }))
    const store = open()
    return {
      store,
      reopen: async () => {
        await store.close()
        return open()
      },
      beside: async () => open(),
    }
  }
}

// localStorage holds 5 MB of text; a group of 3 MB is 4 MB of base64.
afterEach(() => localStorage.clear())

for (const driver of [localforage.INDEXEDDB, localforage.LOCALSTORAGE]) {
  describe(`the localforage store on ${driver}`, () => {
    test.each(rules)('%s', (_, check) => expect(check(onDriver(driver))).resolves.toBeUndefined())
  })
}

test('a full localStorage rejects with advice, and the journal goes on once there is room', async () => {
  const store = localforageStore(localforage.LOCALSTORAGE)
  await store.append('space', 'main', new Uint8Array([1]))
  localStorage.setItem('ballast', 'x'.repeat(4_000_000))
  await expect(store.append('space', 'main', new Uint8Array(1_500_000))).rejects.toThrow(
    'Writing to the journal failed: there is no room left.',
  )
  localStorage.removeItem('ballast')
  await store.append('space', 'main', new Uint8Array([2]))
  expect(await store.read('space', 'main')).toEqual([new Uint8Array([1, 2])])
})

test('the default store is an IndexedDB database called rx-outbox', async () => {
  const store = localforageStore()
  await store.append('space', 'main', new Uint8Array([1]))
  expect((await indexedDB.databases()).map(({ name }) => name)).toContain('rx-outbox')
  expect(await localforageStore().read('space', 'main')).toEqual([new Uint8Array([1])])
  await store.remove('space', 'main')
})
