import { VirtualTimeScheduler } from 'rxjs'
import { afterEach, expect, test, vi } from 'vitest'
import { StorageError } from '../../../lib/errors.ts'
import { joined } from '../../../lib/storage/joined.ts'
import type { JournalStore } from '../../../lib/storage/journalStore.ts'
import { opfsStore } from '../../../lib/storage/opfs.ts'
import { FakeOpfs, useOpfs } from '../../support/fakeOpfs.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const bytesOf = (text: string) => new TextEncoder().encode(text)
const append = (store: JournalStore, text: string) => store.append('space', 'main', bytesOf(text))
const failure = (promise: Promise<unknown>) => promise.catch((error: unknown) => error)

async function textIn(store: JournalStore = opfsStore()): Promise<string> {
  return new TextDecoder().decode(joined(await store.read('space', 'main')))
}

const full = new DOMException('No room', 'QuotaExceededError')

test.each(['a part is written', 'the write is refused', 'the flush is refused'])(
  'no room, so that %s: the append rejects, nothing of it stays, and the journal goes on once there is room',
  async (how) => {
    const opfs = useOpfs()
    const store = opfsStore({ durability: 'strict' })
    await append(store, 'one')
    opfs.interfere = (call) => {
      if (call === 'write' && how === 'a part is written') return 2
      if (call === (how === 'the flush is refused' ? 'flush' : 'write')) throw full
      return undefined
    }
    const error = await failure(append(store, 'two'))
    expect(error).toBeInstanceOf(StorageError)
    expect(error).toHaveProperty('message', expect.stringContaining('there is no room left. Free space'))
    expect(error).toHaveProperty('cause.name', 'QuotaExceededError')
    expect(await textIn()).toBe('one')
    opfs.interfere = () => undefined
    await append(store, 'three')
    expect(await textIn()).toBe('onethree')
  },
)

test.each([0, 1, 2])('no room for the first group of a journal, at write %i: there is none', async (at) => {
  const opfs = useOpfs()
  const store = opfsStore()
  let writes = 0
  opfs.interfere = (call) => (call === 'write' && writes++ === at ? 1 : undefined)
  const error = await failure(append(store, 'one'))
  expect(error instanceof StorageError).toBe(at < 2)
  opfs.interfere = () => undefined
  expect(await textIn()).toBe(at < 2 ? '' : 'one')
  await append(store, 'two')
  expect(await textIn()).toBe(at < 2 ? 'two' : 'onetwo')
})

test('no room for a replacement leaves what was there, and no file of it', async () => {
  const opfs = useOpfs()
  const store = opfsStore()
  await append(store, 'one')
  opfs.interfere = (call, name) => {
    if (call === 'write' && name.endsWith('-2')) throw full
    return undefined
  }
  await expect(store.replace('space', 'main', bytesOf('all'))).rejects.toThrow('there is no room left')
  opfs.interfere = () => undefined
  expect([...opfs.files.keys()]).toEqual(['/rx-outbox/s-space/j-main-1'])
  await append(store, 'two')
  expect(await textIn()).toBe('onetwo')
})

test('a flush behind that fails is answered for by the next append', async () => {
  vi.useFakeTimers()
  const opfs = useOpfs()
  const store = opfsStore()
  await append(store, 'one')
  opfs.interfere = (call) => {
    if (call === 'flush') throw full
    return undefined
  }
  await vi.advanceTimersByTimeAsync(1_000)
  await expect(append(store, 'two')).rejects.toBeInstanceOf(StorageError)
  opfs.interfere = () => undefined
  await append(store, 'three')
  expect(await textIn()).toBe('onethree')
})

test('a handle that is held by a dying page is waited for', async () => {
  vi.useFakeTimers()
  useOpfs()
  const [dying, store] = [opfsStore(), opfsStore()]
  await append(dying, 'one')
  const second = append(store, 'two')
  await vi.advanceTimersByTimeAsync(1_000)
  await dying.close()
  await vi.advanceTimersByTimeAsync(1_000)
  await second
  expect(await textIn()).toBe('onetwo')
})

test('one that stays held is an error that says so, after two seconds', async () => {
  vi.useFakeTimers()
  useOpfs()
  const [other, store] = [opfsStore(), opfsStore()]
  await append(other, 'one')
  const error = failure(append(store, 'two'))
  await vi.advanceTimersByTimeAsync(3_000)
  expect(await error).toHaveProperty('message', expect.stringContaining('another tab holds the file'))
  const removal = failure(store.remove('space', 'main'))
  await vi.advanceTimersByTimeAsync(3_000)
  expect(await removal).toHaveProperty('message', expect.stringContaining('another tab holds the file'))
  await append(other, 'three')
  expect(await textIn()).toBe('onethree')
})

test('a handle that the browser took away is opened anew, and the group is stored once', async () => {
  const opfs = useOpfs()
  const store = opfsStore()
  await append(store, 'one')
  let dead = true
  opfs.interfere = (call) => {
    if (dead && call === 'close') dead = false
    if (dead) throw new DOMException('The access handle was closed', 'InvalidStateError')
    return undefined
  }
  await append(store, 'two')
  expect(await textIn()).toBe('onetwo')
})

test.each(['the data of this site was removed', 'the file was cut'])(
  'a journal of which what was stored is gone (%s) is an error, until it is written anew',
  async (how) => {
    const opfs = useOpfs()
    const store = opfsStore()
    await append(store, 'one')
    await append(store, 'two')
    opfs.crash('kill')
    opfs.workers[0]?.dispatchEvent(new Event('error'))
    if (how === 'the file was cut') for (const file of opfs.files.values()) file.bytes = file.bytes.slice(0, 10)
    else opfs.files.clear()
    const error = await failure(append(store, 'three'))
    expect(error).toBeInstanceOf(StorageError)
    expect(error).toHaveProperty('message', expect.stringContaining('the journal is gone'))
    await store.replace('space', 'main', bytesOf('all'))
    await append(store, 'four')
    expect(await textIn()).toBe('allfour')
  },
)

test('a worker that dies fails what it was asked; the next call starts another one, which goes on', async () => {
  const opfs = useOpfs()
  const store = opfsStore()
  await append(store, 'one')
  const [worker] = opfs.workers
  if (worker) worker.silent = true
  const hanging = failure(append(store, 'two'))
  worker?.dispatchEvent(Object.assign(new Event('error'), { message: 'out of memory' }))
  expect(await hanging).toHaveProperty('message', expect.stringContaining('out of memory'))
  opfs.crash('kill')
  await append(store, 'three')
  expect(opfs.workers).toHaveLength(2)
  expect(await textIn()).toBe('onethree')
})

test('one that cannot be loaded says so', async () => {
  const opfs = useOpfs()
  const store = opfsStore()
  vi.spyOn(opfs, 'worker').mockImplementation(() => {
    const worker = FakeOpfs.prototype.worker.call(opfs)
    worker.silent = true
    queueMicrotask(() => worker.dispatchEvent(new Event('error')))
    return worker
  })
  await expect(append(store, 'one')).rejects.toThrow('it could not be loaded')
})

test('one that gives no answer is ended after 30 s: what it wrote then without saying so does not count', async () => {
  const opfs = useOpfs()
  const scheduler = new VirtualTimeScheduler()
  const store = opfsStore({ scheduler })
  await append(store, 'one')
  const [first] = opfs.workers
  // It writes, and its answer is lost.
  vi.spyOn(first!, 'dispatchEvent').mockReturnValue(true)
  const hanging = failure(append(store, 'two'))
  await new Promise((resolve) => void setTimeout(resolve))
  expect(await textIn()).toBe('onetwo')
  scheduler.flush()
  expect(scheduler.frame).toBe(30_000)
  expect(await hanging).toHaveProperty('message', expect.stringContaining('gave no answer for 30000 ms'))
  expect(first?.alive).toBe(false)
  opfs.crash('kill')
  await append(store, 'three')
  expect(await textIn()).toBe('onethree')
})

test('a read that fails while the file changes is begun again; one that goes on failing is never an empty journal', async () => {
  vi.useFakeTimers()
  const opfs = useOpfs()
  const store = opfsStore()
  await append(store, 'one')
  let failures = 3
  opfs.step = async (what) => {
    if (what.startsWith('read') && failures-- > 0) throw new DOMException('changed', 'NotReadableError')
  }
  const reading = textIn()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await reading).toBe('one')
  failures = Infinity
  for (const call of [() => store.read('space', 'main'), () => store.list('space')]) {
    const error = failure(call())
    await vi.advanceTimersByTimeAsync(30_000)
    expect(await error).toBeInstanceOf(StorageError)
  }
})

test('a journal that is replaced between two looks at the directory is not overlooked', async () => {
  const opfs = useOpfs()
  const store = opfsStore()
  await append(store, 'one')
  const real = opfs.directory.bind(opfs)
  let looks = 0
  vi.spyOn(opfs, 'directory').mockImplementation((path) => {
    const directory = real(path)
    const keys = () => real(path).keys()
    // The first look misses both generations, as one may that lasts while a file is replaced.
    directory.keys = () => (path?.endsWith('s-space') && looks++ === 0 ? noNames() : keys())
    return directory
  })
  expect(await store.list('space')).toEqual(['main'])
  looks = 0
  expect(await textIn(store)).toBe('one')
})

async function* noNames(): FileSystemDirectoryHandleAsyncIterator<string> {}
