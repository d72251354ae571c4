import localforage from 'localforage'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { joined } from '../../lib/storage/joined.ts'
import type { JournalStore } from '../../lib/storage/journalStore.ts'
import { localforageStore } from '../../lib/storage/localforage.ts'
import { opfsStore } from '../../lib/storage/opfs.ts'
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

function asFiles(durability: 'relaxed' | 'strict') {
  return async (): Promise<JournalStoreFixture> => {
    const root = await navigator.storage.getDirectory()
    for await (const name of root.keys()) await root.removeEntry(name, { recursive: true })
    const opened: JournalStore[] = []
    const open = () => {
      const store = opfsStore({ durability })
      opened.push(store)
      return store
    }
    onTestFinished(async () => void (await Promise.all(opened.map(({ close }) => close()))))
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

for (const durability of ['relaxed', 'strict'] as const) {
  describe(`the store of files, ${durability}`, () => {
    test.each(rules)('%s', (_, check) => expect(check(asFiles(durability))).resolves.toBeUndefined())
  })
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
  expect(joined(await store.read('space', 'main'))).toEqual(new Uint8Array([1, 2]))
})

test('the default store is an IndexedDB database called rx-outbox', async () => {
  const store = localforageStore()
  await store.append('space', 'main', new Uint8Array([1]))
  expect((await indexedDB.databases()).map(({ name }) => name)).toContain('rx-outbox')
  expect(await localforageStore().read('space', 'main')).toEqual([new Uint8Array([1])])
  await store.remove('space', 'main')
})
