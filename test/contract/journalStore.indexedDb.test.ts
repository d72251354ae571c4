import localforage from 'localforage'
import { describe, expect, test } from 'vitest'
import { localforageStore } from '../../lib/storage/localforage.ts'
import { opfsStore } from '../../lib/storage/opfs.ts'
import { memoryStore } from '../../lib/storage/memory.ts'
import { useOpfs } from '../support/fakeOpfs.ts'
import { journalStoreContract } from '../../lib/testing/journalStoreContract.ts'
import type { JournalStoreFixture } from '../../lib/testing/journalStoreTrial.ts'

const rules = journalStoreContract.map(({ name, check }) => [name, check] as const)
let count = 0

async function inMemory(): Promise<JournalStoreFixture> {
  const store = memoryStore()
  return {
    store,
    reopen: async () => {
      await store.close()
      return store
    },
    beside: async () => store,
  }
}

async function onIndexedDb(): Promise<JournalStoreFixture> {
  const name = `contract ${count++}`
  const open = () => localforageStore(localforage.createInstance({ name, driver: localforage.INDEXEDDB }))
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

describe('the memory store', () => {
  test.each(rules)('%s', (_, check) => expect(check(inMemory)).resolves.toBeUndefined())
})

async function asFiles(): Promise<JournalStoreFixture> {
  useOpfs()
  const store = opfsStore()
  return {
    store,
    reopen: async () => {
      await store.close()
      return opfsStore()
    },
    beside: async () => opfsStore(),
  }
}

describe('the store of files, on files that are a test’s own', () => {
  test.each(rules)('%s', (_, check) => expect(check(asFiles)).resolves.toBeUndefined())
})

describe('the localforage store on IndexedDB', () => {
  test.each(rules)('%s', (_, check) => expect(check(onIndexedDb)).resolves.toBeUndefined())
})
