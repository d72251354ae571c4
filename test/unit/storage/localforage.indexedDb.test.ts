import localforage from 'localforage'
import { firstValueFrom, ReplaySubject, VirtualTimeScheduler } from 'rxjs'
import { beforeEach, describe, expect, test } from 'vitest'
import type { LocalForageLike } from '../../../lib/api.ts'
import { StorageError } from '../../../lib/errors.ts'
import { joined } from '../../../lib/storage/joined.ts'
import { segmentKey } from '../../../lib/storage/journalKey.ts'
import { localforageStore } from '../../../lib/storage/localforage.ts'

type Call = 'getItem' | 'setItem' | 'removeItem' | 'keys' | 'iterate'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const prefix = 'rx-outbox/space/main/'

let count = 0
let real: LocalForage
/** What is called, in order, and what happens before it reaches the real instance. */
let calls: string[]
let before: (call: Call, key: string) => Promise<void>
let forage: LocalForageLike

beforeEach(() => {
  real = localforage.createInstance({ name: `unit ${count++}`, driver: localforage.INDEXEDDB })
  calls = []
  before = async () => {}
  const told = async (call: Call, key = '') => {
    calls.push(key ? `${call} ${key}` : call)
    await before(call, key)
  }
  forage = {
    getItem: async <T>(key: string) => told('getItem', key).then(() => real.getItem<T>(key)),
    setItem: async <T>(key: string, value: T) => told('setItem', key).then(() => real.setItem<T>(key, value)),
    removeItem: async (key) => told('removeItem', key).then(() => real.removeItem(key)),
    keys: async () => told('keys').then(() => real.keys()),
    iterate: async <T, U>(visit: (value: T, key: string, index: number) => U) =>
      told('iterate').then(() => real.iterate<T, U>(visit)),
  }
})

const fails = (call: Call, error: unknown) => async (called: Call) => {
  if (called === call) throw error
}

async function textIn(store = localforageStore(real)): Promise<string> {
  return new TextDecoder().decode(joined(await store.read('space', 'main')))
}

describe('a group', () => {
  test('is one setItem, and the keys are asked for once only', async () => {
    const store = localforageStore(forage)
    for (const group of ['one', 'two', 'three']) await store.append('space', 'main', bytesOf(group))
    expect(calls.filter((call) => call !== `setItem ${segmentKey(prefix, 0, 0)}`)).toEqual(['keys'])
    expect(calls).toHaveLength(4)
  })

  test('that is small shares a segment with others, up to 8 KB', async () => {
    const store = localforageStore(forage)
    for (let i = 0; i < 100; i++) await store.append('space', 'main', new Uint8Array(330))
    await store.append('space', 'main', new Uint8Array(20_000))
    await store.append('space', 'main', new Uint8Array(330))
    expect(await real.length()).toBe(7)
    expect(joined(await store.read('space', 'main'))).toHaveLength(100 * 330 + 20_000 + 330)
  })
})

describe('reading', () => {
  test('many segments is one walk over the store', async () => {
    await localforageStore(real).append('space', 'other', bytesOf('theirs'))
    for (let i = 0; i < 600; i++) {
      await real.setItem(segmentKey(prefix, 0, i), bytesOf(`group ${i}`))
    }
    expect(await textIn(localforageStore(forage))).toBe(Array.from({ length: 600 }, (_, i) => `group ${i}`).join(''))
    expect(calls).toEqual(['keys', 'iterate'])
  })

  test('leaves alone what others keep in the same instance', async () => {
    const others = ['rx-outbox', 'rx-outbox/space/', 'rx-outbox/space/main/x/y', 'todo', 'rx-outbox/space/main']
    for (const key of others) await real.setItem(key, 'theirs')
    const store = localforageStore(real)
    expect(await textIn(store)).toBe('')
    await store.append('space', 'main', bytesOf('one'))
    await store.remove('space', 'main')
    expect(await real.keys()).toEqual(others.toSorted())
  })

  test('a listed segment that is not there is an error, never an empty journal', async () => {
    await localforageStore(real).append('space', 'main', bytesOf('one'))
    forage.getItem = async () => null
    await expect(localforageStore(forage).read('space', 'main')).rejects.toThrow(
      'a part of it is listed, but not there',
    )
  })

  test('a segment that holds no bytes is an error', async () => {
    await real.setItem(segmentKey(prefix, 0, 0), 'text')
    await expect(localforageStore(real).read('space', 'main')).rejects.toBeInstanceOf(StorageError)
  })

  test('is begun again when the writer replaces the journal meanwhile', async () => {
    const writer = localforageStore(real)
    await writer.append('space', 'main', bytesOf('one'))
    let replaced = false
    before = async (call) => {
      if (call !== 'getItem' || replaced) return
      replaced = true
      await writer.replace('space', 'main', bytesOf('all'))
      await writer.close()
    }
    expect(await textIn(localforageStore(forage))).toBe('all')
  })

  test.each<Call>(['keys', 'getItem'])('rejects with the cause when %s fails', async (call) => {
    await localforageStore(real).append('space', 'main', bytesOf('one'))
    const cause = new Error('The database connection is closing')
    before = fails(call, cause)
    const failure: unknown = await localforageStore(forage)
      .read('space', 'main')
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(StorageError)
    expect(failure).toHaveProperty('cause', cause)
    expect(failure).toHaveProperty('message', expect.stringContaining('The database connection is closing'))
  })
})

describe('continuing', () => {
  test('a successor that has read goes on behind all that came since it looked first', async () => {
    const [one, two] = [localforageStore(real), localforageStore(real)]
    await one.append('space', 'main', bytesOf('one'))
    await textIn(two)
    await one.append('space', 'main', bytesOf('two'))
    await textIn(two)
    await two.append('space', 'main', bytesOf('three'))
    await two.replace('space', 'main', bytesOf('all'))
    await textIn(one)
    await one.append('space', 'main', bytesOf('four'))
    expect(await textIn()).toBe('allfour')
  })

  test('a read that is under way while the journal grows does not set it back', async () => {
    const store = localforageStore(forage)
    const resume = new ReplaySubject<void>(1)
    before = async (call) => {
      if (call === 'getItem') await firstValueFrom(resume)
    }
    await store.append('space', 'main', bytesOf('one'))
    const reading = store.read('space', 'main')
    for (let i = 0; i < 5; i++) await store.append('space', 'main', new Uint8Array(9_000))
    resume.next()
    await reading
    await store.append('space', 'main', bytesOf('last'))
    expect(await textIn()).toHaveLength(3 + 5 * 9_000 + 4)
  })
})

describe('a replacement', () => {
  test('removes the old generation', async () => {
    const store = localforageStore(real)
    for (let i = 0; i < 5; i++) await store.append('space', 'main', new Uint8Array(9_000))
    await store.replace('space', 'main', bytesOf('all'))
    await store.close()
    expect(await real.keys()).toEqual([segmentKey(prefix, 1, 0)])
  })

  test('that is cut short leaves the new generation, and the next writer clears the old one', async () => {
    const store = localforageStore(forage)
    for (let i = 0; i < 5; i++) await store.append('space', 'main', new Uint8Array(9_000))
    before = fails('removeItem', new Error('crash'))
    await store.replace('space', 'main', bytesOf('all'))
    await store.close()
    expect(await real.length()).toBeGreaterThan(5)
    const next = localforageStore(real)
    expect(await textIn(next)).toBe('all')
    expect(await next.list('space')).toEqual(['main'])
    await next.append('space', 'main', bytesOf('more'))
    await next.close()
    expect(await real.keys()).toEqual([segmentKey(prefix, 1, 0), segmentKey(prefix, 1, 1)])
    expect(await textIn()).toBe('allmore')
  })

  test('that fails leaves the old generation', async () => {
    const store = localforageStore(forage)
    await store.append('space', 'main', bytesOf('one'))
    before = fails('setItem', new Error('no'))
    await expect(store.replace('space', 'main', bytesOf('all'))).rejects.toBeInstanceOf(StorageError)
    before = async () => {}
    await store.append('space', 'main', bytesOf('two'))
    expect(await textIn()).toBe('onetwo')
  })
})

describe('a removal', () => {
  test.each([0, 1, 2, 3])('that is cut short after %i keys leaves an empty journal', async (removed) => {
    const store = localforageStore(forage)
    for (let i = 0; i < 3; i++) await store.append('space', 'main', new Uint8Array(9_000))
    let left = removed
    before = async (call) => {
      if (call === 'removeItem' && left-- === 0) throw new Error('crash')
    }
    await expect(store.remove('space', 'main')).rejects.toBeInstanceOf(StorageError)
    const next = localforageStore(real)
    expect(await textIn(next)).toBe('')
    expect(await next.list('space')).toEqual([])
    await next.append('space', 'main', bytesOf('new'))
    await next.close()
    expect(await textIn()).toBe('new')
    expect(await real.length()).toBe(1)
  })
})

test('what is still to be cleared of a replaced journal is cleared before the journal is removed and begun anew', async () => {
  const store = localforageStore(forage)
  const resume = new ReplaySubject<void>(1)
  for (let i = 0; i < 3; i++) await store.append('space', 'main', new Uint8Array(9_000))
  let held = false
  before = async (call) => {
    if (call !== 'removeItem' || held) return
    held = true
    await firstValueFrom(resume)
  }
  await store.replace('space', 'main', bytesOf('all'))
  const begunAnew = store.remove('space', 'main').then(() => store.append('space', 'main', bytesOf('new')))
  // Long enough for a removal that did not wait.
  for (let i = 0; i < 30; i++) await real.keys()
  resume.next()
  await begunAnew
  await store.close()
  expect(await textIn()).toBe('new')
})

describe('a write that fails', () => {
  test('for want of room says so, keeps the cause, and the journal goes on', async () => {
    const store = localforageStore(forage)
    await store.append('space', 'main', bytesOf('one'))
    // Not a DOMException everywhere: only its name says what it is.
    const cause = Object.assign(new Error('Encountered full disk'), { name: 'QuotaExceededError' })
    before = fails('setItem', cause)
    const failure: unknown = await store.append('space', 'main', bytesOf('two')).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(StorageError)
    expect(failure).toHaveProperty('message', expect.stringContaining('there is no room left. Free space'))
    expect(failure).toHaveProperty('cause', cause)
    before = async () => {}
    await store.append('space', 'main', bytesOf('three'))
    expect(await textIn()).toBe('onethree')
  })

  test('for want of a driver says what to give instead', async () => {
    await expect(localforageStore('no such driver').read('space', 'main')).rejects.toThrow(
      'Give another driver or `memoryStore()` as `storage`.',
    )
  })

  test.each(['append', 'replace'] as const)(
    'by no answer to %s is rejected after 30 s, and does no harm when it comes through later',
    async (write) => {
      const scheduler = new VirtualTimeScheduler()
      const store = localforageStore(forage, { scheduler })
      await store.append('space', 'main', bytesOf('one'))
      const [begun, resume] = [new ReplaySubject<void>(1), new ReplaySubject<void>(1)]
      before = async (call) => {
        if (call !== 'setItem') return
        begun.next()
        await firstValueFrom(resume)
      }
      const hanging = store[write]('space', 'main', bytesOf('late')).catch((error: unknown) => error)
      await firstValueFrom(begun)
      scheduler.flush()
      expect(scheduler.frame).toBe(30_000)
      expect(await hanging).toHaveProperty('message', expect.stringContaining('gave no answer in time'))

      before = async () => {}
      resume.next()
      await real.ready()
      await real.keys()
      await store.append('space', 'main', bytesOf('two'))
      expect(await textIn()).toBe('onetwo')
    },
  )
})
