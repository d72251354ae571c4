import { vi } from 'vitest'
import { environment } from '../../lib/environment.ts'
import { opfsFiles, type OpfsRequest } from '../../lib/storage/opfsFiles.ts'
import type { SyncHandle } from '../../lib/storage/syncFile.ts'

type SyncCall = 'read' | 'write' | 'truncate' | 'flush' | 'close'

/** What a test may put in the way of a file's calls: what it returns or throws happens instead. */
export type Interference = (call: SyncCall, name: string, bytes?: Uint8Array) => number | void

interface FakeFile {
  bytes: Uint8Array
  flushed: Uint8Array
  /** Written since: of these, a power cut leaves only the last one, for a disk keeps no order. */
  unflushed: { bytes: Uint8Array; at: number }[]
  held: boolean
  gone: boolean
}

const nothing = new Uint8Array(0)

function put(file: Uint8Array, bytes: Uint8Array, at: number): Uint8Array {
  const grown = new Uint8Array(Math.max(file.length, at + bytes.length))
  grown.set(file)
  grown.set(bytes, at)
  return grown
}

const failing = (name: string, message = name) => new DOMException(message, name)

/** Files of an origin, and its workers: what the browser gives, in memory. */
export class FakeOpfs {
  readonly files = new Map<string, FakeFile>()
  readonly directories = new Set([''])
  readonly workers: FakeWorker[] = []
  interfere: Interference = () => undefined
  /** Called before each step that has to be waited for. */
  step: (what: string) => Promise<void> = async () => {}

  directory(path = ''): FileSystemDirectoryHandle {
    const at = (name: string) => `${path}/${name}`
    const isBelow = (other: string) => other.startsWith(`${path}/`) && !other.slice(path.length + 1).includes('/')
    const fake = {
      getDirectoryHandle: async (name: string, { create = false } = {}) => {
        await this.step(`directory ${at(name)}`)
        if (create) this.directories.add(at(name))
        if (!this.directories.has(at(name))) throw failing('NotFoundError')
        return this.directory(at(name))
      },
      getFileHandle: async (name: string, { create = false } = {}) => {
        await this.step(`file ${at(name)}`)
        if (create && !this.files.has(at(name))) {
          this.files.set(at(name), { bytes: nothing, flushed: nothing, unflushed: [], held: false, gone: false })
        }
        const file = this.files.get(at(name))
        if (!file) throw failing('NotFoundError')
        return this.#file(name, file)
      },
      removeEntry: async (name: string) => {
        await this.step(`remove ${at(name)}`)
        const file = this.files.get(at(name))
        if (!file) throw failing('NotFoundError')
        if (file.held) throw failing('NoModificationAllowedError')
        file.gone = true
        this.files.delete(at(name))
      },
      keys: () => {
        const names = [...this.files.keys(), ...this.directories].filter(isBelow)
        return (async function* () {
          for (const name of names) yield name.slice(path.length + 1)
        })()
      },
    }
    return fake as unknown as FileSystemDirectoryHandle
  }

  #file(name: string, file: FakeFile): FileSystemFileHandle {
    const fake = {
      getFile: async () => {
        await this.step(`read ${name}`)
        if (file.gone) throw failing('NotFoundError')
        return new File([file.bytes.slice()], name)
      },
      createSyncAccessHandle: async () => {
        await this.step(`hold ${name}`)
        if (file.held) throw failing('NoModificationAllowedError')
        file.held = true
        return this.#handle(name, file)
      },
    }
    return fake as unknown as FileSystemFileHandle
  }

  #handle(name: string, file: FakeFile): SyncHandle {
    let open = true
    const told = (call: SyncCall, bytes?: Uint8Array) => {
      if (!open && call !== 'close') throw failing('InvalidStateError')
      return this.interfere(call, name, bytes)
    }
    return {
      getSize: () => file.bytes.length,
      read(into, { at }) {
        told('read')
        const part = file.bytes.subarray(at, at + into.length)
        into.set(part)
        return part.length
      },
      write(bytes, { at }) {
        const room = told('write', bytes) ?? bytes.length
        const part = bytes.slice(0, room)
        file.bytes = put(file.bytes, part, at)
        file.unflushed.push({ bytes: part, at })
        return room
      },
      truncate(size) {
        told('truncate')
        const cut = new Uint8Array(size)
        cut.set(file.bytes.subarray(0, size))
        file.bytes = cut
      },
      flush() {
        told('flush')
        file.flushed = file.bytes.slice()
        file.unflushed = []
      },
      close() {
        told('close')
        if (open) file.held = false
        open = false
      },
    }
  }

  /** The browser dies: nothing is held any more. A power cut takes what was not flushed, too. */
  crash(how: 'kill' | 'power cut'): void {
    for (const worker of this.workers) worker.terminate()
    for (const file of this.files.values()) {
      file.held = false
      if (how === 'kill') continue
      const last = file.unflushed.at(-1)
      file.bytes = last ? put(file.flushed, last.bytes, last.at) : file.flushed
    }
  }

  worker(): FakeWorker {
    const worker = new FakeWorker(this)
    this.workers.push(worker)
    return worker
  }
}

/** Runs what a worker runs, in the test's own thread. */
export class FakeWorker extends EventTarget {
  alive = true
  /** Takes messages and answers none. */
  silent = false
  received: OpfsRequest[] = []
  readonly #serve: ReturnType<typeof opfsFiles>

  constructor(opfs: FakeOpfs) {
    super()
    this.#serve = opfsFiles({ root: async () => opfs.directory(), later: (run, ms) => void setTimeout(run, ms) })
  }

  postMessage([id, request]: [number, OpfsRequest]): void {
    this.received.push(request)
    if (!this.alive || this.silent) return
    this.#serve(request).then(
      (tail) => this.#answer([id, tail]),
      (error: Error) => this.#answer([id, undefined, { name: error.name, message: error.message }]),
    )
  }

  #answer(data: unknown): void {
    if (this.alive && !this.silent) this.dispatchEvent(new MessageEvent('message', { data }))
  }

  terminate(): void {
    this.alive = false
  }
}

/** From now on the library finds these files, and these workers. */
export function useOpfs(opfs = new FakeOpfs()): FakeOpfs {
  vi.spyOn(environment, 'hasOpfs').mockReturnValue(true)
  vi.spyOn(environment, 'directory').mockImplementation(async () => opfs.directory())
  vi.spyOn(environment, 'opfsWorker').mockImplementation(() => opfs.worker() as unknown as Worker)
  return opfs
}
