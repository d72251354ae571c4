import { afterEach, describe, expect, test, vi } from 'vitest'
import { joined } from '../../../lib/storage/joined.ts'
import type { JournalStore } from '../../../lib/storage/journalStore.ts'
import { opfsStore } from '../../../lib/storage/opfs.ts'
import { type FakeOpfs, useOpfs } from '../../support/fakeOpfs.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const bytesOf = (text: string) => new TextEncoder().encode(text)
const directory = '/rx-outbox/s-space'

async function textIn(store: JournalStore = opfsStore()): Promise<string> {
  return new TextDecoder().decode(joined(await store.read('space', 'main')))
}

const filesIn = (opfs: FakeOpfs) => [...opfs.files.keys()].filter((path) => path.startsWith(`${directory}/`))

describe('a journal', () => {
  test('is one file, which its writer alone holds until it closes', async () => {
    const opfs = useOpfs()
    const store = opfsStore()
    await store.append('space', 'main', bytesOf('one'))
    expect(filesIn(opfs)).toEqual([`${directory}/j-main-1`])
    expect(opfs.files.get(`${directory}/j-main-1`)?.held).toBe(true)
    await store.read('space', 'main')
    await store.close()
    expect(opfs.files.get(`${directory}/j-main-1`)?.held).toBe(false)
    expect(opfs.workers.map(({ alive }) => alive)).toEqual([false])
  })

  test('is read, listed and removed without a worker', async () => {
    const opfs = useOpfs()
    const writer = opfsStore()
    await writer.append('space', 'main', bytesOf('one'))
    await writer.close()
    const store = opfsStore()
    expect(await store.list('space')).toEqual(['main'])
    expect(await textIn(store)).toBe('one')
    await store.remove('space', 'main')
    expect(filesIn(opfs)).toEqual([])
    expect(opfs.workers).toHaveLength(1)
  })

  test('costs one write an append, and no flush; strict flushes each', async () => {
    const opfs = useOpfs()
    for (const durability of ['relaxed', 'strict'] as const) {
      const store = opfsStore({ durability })
      await store.append('space', durability, bytesOf('one'))
      const calls: string[] = []
      opfs.interfere = (call) => void calls.push(call)
      await store.append('space', durability, bytesOf('two'))
      expect(calls).toEqual(durability === 'strict' ? ['write', 'flush'] : ['write'])
    }
  })

  test('is flushed behind, a second later, once for all that came', async () => {
    vi.useFakeTimers()
    const opfs = useOpfs()
    const store = opfsStore()
    await store.append('space', 'main', bytesOf('one'))
    let flushes = 0
    opfs.interfere = (call) => {
      if (call === 'flush') flushes++
    }
    for (const text of ['two', 'three']) await store.append('space', 'main', bytesOf(text))
    await vi.advanceTimersByTimeAsync(999)
    expect(flushes).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(flushes).toBe(1)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(flushes).toBe(1)
    opfs.crash('power cut')
    expect(await textIn()).toBe('onetwothree')
  })

  test('that is strict survives a power cut right behind an append', async () => {
    const opfs = useOpfs()
    const store = opfsStore({ durability: 'strict' })
    await store.append('space', 'main', bytesOf('one'))
    await store.append('space', 'main', bytesOf('two'))
    opfs.crash('power cut')
    expect(await textIn()).toBe('onetwo')
  })

  test('of a space with a long name lies in directories that every system can name', async () => {
    const opfs = useOpfs()
    const space = 'Ü'.repeat(300)
    const store = opfsStore()
    await store.append(space, 'main', bytesOf('one'))
    expect(await store.list(space)).toEqual(['main'])
    const names = [...opfs.directories, ...opfs.files.keys()].flatMap((path) => path.split('/'))
    expect(Math.max(...names.map((name) => name.length))).toBeLessThan(250)
    expect(names.join('')).toMatch(/^[a-z0-9%_.-]+$/)
  })
})

describe('a replacement that is cut short', () => {
  /** Stops the world at the n-th step of a replacement, as a kill would. */
  async function killedAt(stop: number): Promise<{ opfs: FakeOpfs; done: boolean }> {
    const opfs = useOpfs()
    const store = opfsStore({ durability: 'strict' })
    for (const text of ['one', 'two']) await store.append('space', 'main', bytesOf(text))
    let steps = 0
    const never = new Promise<never>(() => undefined)
    const reached = new Promise<false>((stopped) => {
      opfs.step = async () => {
        if (steps++ !== stop) return
        stopped(false)
        await never
      }
      opfs.interfere = () => {
        if (steps++ < stop) return
        stopped(false)
        throw new DOMException('killed', 'AbortError')
      }
    })
    const done = await Promise.race([store.replace('space', 'main', bytesOf('all')).then(() => true), reached])
    opfs.step = async () => {}
    opfs.interfere = () => undefined
    return { opfs, done }
  }

  test.each(['kill', 'power cut'] as const)(
    'by a %s leaves the old groups or the new one, wherever it happens, and no leftovers',
    async (how) => {
      const seen = new Set<string>()
      let stop = 0
      for (let done = false; !done; stop++) {
        const killed = await killedAt(stop)
        done = killed.done
        // Long enough for the leftovers of the calls that were stopped.
        await new Promise((resolve) => void setTimeout(resolve))
        killed.opfs.crash(how)
        const text = await textIn()
        expect(done ? ['all'] : ['onetwo', 'all']).toContain(text)
        seen.add(text)
        const next = opfsStore()
        await next.append('space', 'main', bytesOf('next'))
        expect(await textIn(next)).toBe(`${text}next`)
        expect(filesIn(killed.opfs)).toHaveLength(1)
        await next.close()
      }
      expect(stop).toBeGreaterThan(8)
      expect([...seen].toSorted()).toEqual(['all', 'onetwo'])
    },
  )
})
