import localforage from 'localforage'
import { defer, firstValueFrom, of, retry, type SchedulerLike, timeout, TimeoutError } from 'rxjs'
import type { LocalForageLike } from '../api.ts'
import { environment } from '../environment.ts'
import { StorageError } from '../errors.ts'
import { journalsOf, newestGeneration, type Generation } from './generation.ts'
import { endKey, journalPrefix, segmentKey } from './journalKey.ts'
import { joined } from './joined.ts'
import type { JournalStore } from './journalStore.ts'
import { nameOf } from './nameOf.ts'
import { storageFailure } from './storageFailure.ts'

/** Bytes up to which a segment takes in groups. */
const segmentSize = 8_192
/** Keys from which on one walk over the store is faster than asking for each. */
const manyKeys = 512
const nothing = new Uint8Array(0)
/** What a call fails with when the browser dropped the connection: Safari does so to pages in the background. */
const lost = ['InvalidStateError', 'UnknownError', 'AbortError']

export interface LocalforageStoreOptions {
  /** Milliseconds after which a call that was not answered counts as failed. @default 30_000 */
  writeTimeout?: number
  /** Measures the time-out. @default asyncScheduler */
  scheduler?: SchedulerLike
}

type Ask = <T>(doing: string, call: (forage: LocalForageLike) => Promise<T>) => Promise<T>

/** Where the next group of a journal goes. */
interface Tail {
  generation: number
  segment: number
  /** What that segment is known to hold. */
  bytes: Uint8Array
  stale: string[]
  /** A key whose writing was not confirmed, and that would outdate this generation if it came through after all. */
  doubtful?: string
}

/**
 * Journals in localforage. A group is one `setItem`: the newest segment grows by it, up to 8 KB.
 *
 * @param instance a localforage instance, or the name of one of its drivers. @default localforage.INDEXEDDB
 *
 * @example localforageStore(localforage.LOCALSTORAGE)
 */
// Growing costs 5 % of a write. A key per group would make reading 10 times and removing 20 times as slow (measured
// with 5,000 groups in Chromium).
export function localforageStore(
  instance: LocalForageLike | string = localforage.INDEXEDDB,
  { writeTimeout = 30_000, scheduler = environment.scheduler }: LocalforageStoreOptions = {},
): JournalStore {
  const tails = new Map<string, Tail>()
  let opened = typeof instance === 'string' ? undefined : instance
  let sweeping = Promise.resolve()
  let writesBegun = 0
  let writesUnderWay = 0

  const ask: Ask = (doing, call) => {
    const answer$ = defer(() => call((opened ??= openInstance(instance)))).pipe(
      retry({
        count: 1,
        delay(error) {
          if (!lost.includes(nameOf(error))) throw error
          disconnect(opened)
          return of(undefined)
        },
      }),
      timeout({ first: writeTimeout, scheduler }),
    )
    return firstValueFrom(answer$).catch((cause: unknown) => {
      if (cause instanceof TimeoutError) disconnect(opened)
      throw storageFailure(doing, cause)
    })
  }
  const allKeys = () => ask('Listing the journals', (forage) => forage.keys())
  const put = (key: string, value: unknown) => ask('Writing to the journal', (forage) => forage.setItem(key, value))
  const drop = (key: string) => ask('Removing from the journal', (forage) => forage.removeItem(key))

  async function writing(space: string, journal: string, write: (prefix: string, tail: Tail) => Promise<void>) {
    const prefix = journalPrefix(space, journal)
    writesBegun++
    writesUnderWay++
    try {
      const tail = tails.get(prefix) ?? tailOf(newestGeneration(await allKeys(), space, journal))
      tails.set(prefix, tail)
      if (tail.doubtful !== undefined) await drop(tail.doubtful)
      delete tail.doubtful
      await write(prefix, tail)
    } finally {
      writesUnderWay--
    }
  }

  function sweep(tail: Tail): void {
    sweeping = removeStale(tail, sweeping)
  }

  async function removeStale(tail: Tail, before: Promise<void>): Promise<void> {
    const keys = tail.stale.splice(0)
    await before
    try {
      // One after the other: appends go between.
      for (const key of keys) await drop(key)
    } catch {
      // They are out of date anyway; the next append tries again.
      tail.stale.push(...keys)
    }
  }

  return {
    kind: 'localforage',
    durability: 'relaxed',

    list: async (space) => journalsOf(await allKeys(), space),

    read: async (space, journal) => {
      const begun = writesBegun
      const quiet = writesUnderWay === 0
      const { generation, segments } = await readNewest(ask, space, journal)
      const prefix = journalPrefix(space, journal)
      // What was read is where to go on, unless this instance itself has gone on meanwhile.
      const known = tails.get(prefix)
      if (quiet && begun === writesBegun && known?.doubtful === undefined) tails.set(prefix, tailOf(generation))
      return segments
    },

    append: (space, journal, group) =>
      writing(space, journal, async (prefix, tail) => {
        if (tail.bytes.length > 0 && tail.bytes.length + group.length > segmentSize) startSegment(tail)
        const bytes = joined([tail.bytes, group])
        await put(segmentKey(prefix, tail.generation, tail.segment), bytes)
        tail.bytes = bytes
        if (bytes.length >= segmentSize) startSegment(tail)
        if (tail.stale.length > 0) sweep(tail)
      }),

    replace: (space, journal, group) =>
      writing(space, journal, async (prefix, tail) => {
        const bytes = group.slice()
        tail.doubtful = segmentKey(prefix, tail.generation + 1, 0)
        await put(tail.doubtful, bytes)
        delete tail.doubtful
        for (let i = 0; i <= tail.segment; i++) tail.stale.push(segmentKey(prefix, tail.generation, i))
        tail.generation++
        tail.segment = 0
        tail.bytes = bytes
        if (bytes.length >= segmentSize) startSegment(tail)
        sweep(tail)
      }),

    remove: (space, journal) =>
      writing(space, journal, async (prefix, tail) => {
        await sweeping
        const { number, segments, stale } = newestGeneration(await allKeys(), space, journal)
        const keys = [...stale, ...segments]
        if (keys.length > 1) {
          tail.doubtful = endKey(prefix, number + 1)
          await put(tail.doubtful, true)
          keys.push(tail.doubtful)
        }
        tails.delete(prefix)
        for (const key of keys) await drop(key)
      }),

    close: async () => {
      await sweeping
      tails.clear()
    },
  }
}

function openInstance(driver: LocalForageLike | string): LocalForageLike {
  if (typeof driver !== 'string') return driver
  return localforage.createInstance({ name: 'rx-outbox', storeName: 'journals', driver })
}

// There is no public way. On a connection that is closed localforage opens a new one by itself.
function disconnect(forage: LocalForageLike | undefined): void {
  const { db } = Object(Reflect.get(forage ?? {}, '_dbInfo')) as { db?: { close?: () => void } }
  if (typeof db?.close === 'function') db.close()
}

function tailOf({ number, next, stale }: Generation): Tail {
  return { generation: number, segment: next, bytes: nothing, stale: [...stale] }
}

function startSegment(tail: Tail): void {
  tail.segment++
  tail.bytes = nothing
}

async function readNewest(
  ask: Ask,
  space: string,
  journal: string,
): Promise<{ generation: Generation; segments: Uint8Array[] }> {
  for (let tries = 1; ; tries++) {
    const keys = await ask('Listing the journals', (forage) => forage.keys())
    const generation = newestGeneration(keys, space, journal)
    const walk = generation.segments.length >= manyKeys && generation.segments.length * 2 > keys.length
    const values = await ask('Reading the journal', (forage) =>
      (walk ? walkOver : askEach)(forage, generation.segments),
    )
    const segments = values.filter(isBytes)
    if (segments.length === values.length) return { generation, segments }
    // Its writer may have put a new generation in the place of this one since the keys were listed.
    if (tries === 3) throw new StorageError('Reading the journal failed: a part of it is listed, but not there.')
  }
}

const askEach = (forage: LocalForageLike, keys: readonly string[]): Promise<unknown[]> =>
  Promise.all(keys.map((key) => forage.getItem<unknown>(key)))

async function walkOver(forage: LocalForageLike, keys: readonly string[]): Promise<unknown[]> {
  const values = new Map<string, unknown>(keys.map((key) => [key, null]))
  await forage.iterate<unknown, void>((value, key) => {
    if (values.has(key)) values.set(key, value)
  })
  return [...values.values()]
}

const isBytes = (value: unknown): value is Uint8Array => Object.prototype.toString.call(value) === '[object Uint8Array]'
