import { nameOf } from './nameOf.ts'
import { header, isComplete, startOf, type SyncFile, type SyncHandle, writeAll } from './syncFile.ts'

/** What the writing side needs of its world: the globals of a worker. */
export interface OpfsWorld {
  root: () => Promise<FileSystemDirectoryHandle>
  later: (run: () => void, ms: number) => void
}

/** What a file was last known to hold: bytes behind that were never confirmed. */
export interface Tail {
  generation: number
  /** Bytes, header included. */
  size: number
}

export interface OpfsRequest {
  op: 'try' | 'append' | 'replace' | 'release'
  /** The way to the files of a space. */
  directories: string[]
  /** What the names of a journal's files begin with; a number follows. `''`: all journals below. */
  journal: string
  bytes?: Uint8Array
  /** Acknowledge after a flush. */
  strict?: boolean
  known?: Tail | undefined
}

interface OpenFile extends Tail {
  path: string
  directory: FileSystemDirectoryHandle
  name: string
  handle: SyncHandle
  dirty: boolean
  /** A flush behind failed: the next append has to answer for it. */
  owing: boolean
}

/** Milliseconds that written bytes may stay unflushed. */
const behind = 1_000
/** A handle may be held by a worker that is just dying: how often and how long, in ms, it is waited for. */
const [tries, longest] = [25, 100]

/**
 * Writes journals into files: the side of the OPFS store that runs in a worker, for only there are handles whose writes
 * return when they are done. Each call of a journal has to wait for the one before.
 */
export function opfsFiles({ root, later }: OpfsWorld): (request: OpfsRequest) => Promise<Tail | undefined> {
  const files = new Map<string, OpenFile>()
  let flushing = false

  async function serve(request: OpfsRequest): Promise<Tail | undefined> {
    const { op, bytes = new Uint8Array(0), strict = false } = request
    if (op === 'try') return attempt(request)
    const path = [...request.directories, request.journal].join('/')
    if (op === 'release') return release(path)
    let file = files.get(path)
    if (op === 'replace') {
      file = await replace(file ?? (await open(path, request, undefined)), request, bytes)
    } else if (file) {
      try {
        append(file, bytes, strict)
      } catch (error) {
        // The browser took the handle away.
        if (nameOf(error) !== 'InvalidStateError') throw error
        append((file = await open(path, request, file.size > 0 ? file : undefined)), bytes, strict)
      }
    } else append((file = await open(path, request, request.known)), bytes, strict)
    return { generation: file.generation, size: file.size }
  }

  /** Whether this place can be written at all. */
  async function attempt({ directories, journal }: OpfsRequest): Promise<undefined> {
    const file = await (await directoryOf(directories)).getFileHandle(journal, { create: true })
    try {
      const handle = await (file as SyncFile).createSyncAccessHandle()
      // In the first drafts of the interface it was a promise.
      if (typeof handle.getSize() !== 'number') throw new Error('This browser writes files in another way.')
      handle.close()
    } catch (error) {
      if (nameOf(error) !== 'NoModificationAllowedError') throw error
    }
  }

  async function directoryOf(names: string[]): Promise<FileSystemDirectoryHandle> {
    let directory = await root()
    for (const name of names) directory = await directory.getDirectoryHandle(name, { create: true })
    return directory
  }

  async function handleOf(directory: FileSystemDirectoryHandle, name: string): Promise<SyncHandle> {
    for (let tried = 1; ; tried++) {
      try {
        const file = await directory.getFileHandle(name, { create: true })
        return await (file as SyncFile).createSyncAccessHandle()
      } catch (error) {
        if (nameOf(error) !== 'NoModificationAllowedError' || tried === tries) throw error
        await new Promise<void>((done) => later(done, Math.min(longest, 10 * tried)))
      }
    }
  }

  /** The newest generation that counts, or a first one. The others are leftovers of a crash, and go. */
  async function open(path: string, { directories, journal }: OpfsRequest, known: Tail | undefined): Promise<OpenFile> {
    const directory = await directoryOf(directories)
    const generations: number[] = []
    for await (const name of directory.keys()) {
      const number = name.startsWith(journal) ? name.slice(journal.length) : ''
      if (/^\d+$/.test(number)) generations.push(Number(number))
    }
    let file: OpenFile | undefined
    for (const generation of generations.sort((a, b) => b - a)) {
      const name = journal + generation
      const handle = file ? undefined : await handleOf(directory, name)
      if (handle && isComplete(startOf(handle)))
        file = openFile(path, directory, name, handle, generation, handle.getSize())
      else {
        handle?.close()
        await directory.removeEntry(name)
      }
    }
    if (known && (!file || file.generation < known.generation || isShort(file, known))) {
      file?.handle.close()
      throw Object.assign(new Error('the journal is gone: the data of this site was removed'), {
        name: 'NotFoundError',
      })
    }
    file ??= openFile(path, directory, `${journal}1`, await handleOf(directory, `${journal}1`), 1, 0)
    // What was written without being confirmed was said to have failed.
    if (known?.generation === file.generation) cut(file, known.size)
    files.set(path, file)
    return file
  }

  function append(file: OpenFile, bytes: Uint8Array, strict: boolean): void {
    try {
      writeAll(file.handle, bytes, file.size || header.length)
      if (file.size === 0) writeAll(file.handle, header, 0)
      if (strict || file.owing) file.handle.flush()
    } catch (error) {
      cut(file, file.size)
      throw error
    }
    file.size = (file.size || header.length) + bytes.length
    file.owing = false
    file.dirty = !strict
    if (file.dirty) flushBehind()
  }

  async function replace(old: OpenFile, { journal }: OpfsRequest, bytes: Uint8Array): Promise<OpenFile> {
    const { path, directory } = old
    const generation = old.generation + 1
    const name = journal + generation
    const handle = await handleOf(directory, name)
    try {
      handle.truncate(0)
      writeAll(handle, bytes, header.length)
      handle.flush()
      writeAll(handle, header, 0)
      handle.flush()
    } catch (error) {
      try {
        handle.truncate(0)
        handle.close()
        await directory.removeEntry(name)
      } catch {
        // Whoever opens the journal next sees which of them counts.
        forget(old)
      }
      throw error
    }
    const next = openFile(path, directory, name, handle, generation, header.length + bytes.length)
    files.set(path, next)
    old.handle.close()
    // One that stays is older, and goes when the journal is opened next.
    await directory.removeEntry(old.name).catch(() => undefined)
    return next
  }

  function release(path: string): undefined {
    for (const file of files.values()) {
      if (!file.path.startsWith(path)) continue
      if (file.dirty) flush(file)
      forget(file)
    }
  }

  function flushBehind(): void {
    if (flushing) return
    flushing = true
    later(() => {
      flushing = false
      for (const file of files.values()) if (file.dirty) flush(file)
    }, behind)
  }

  function flush(file: OpenFile): void {
    try {
      file.handle.flush()
      file.dirty = false
    } catch {
      file.owing = true
    }
  }

  /** Back to the size that was confirmed. */
  function cut(file: OpenFile, size: number): void {
    try {
      file.handle.truncate(size)
      file.size = size
    } catch {
      forget(file)
    }
  }

  function forget(file: OpenFile): void {
    files.delete(file.path)
    file.handle.close()
  }

  return serve
}

function openFile(
  path: string,
  directory: FileSystemDirectoryHandle,
  name: string,
  handle: SyncHandle,
  generation: number,
  size: number,
): OpenFile {
  return { path, directory, name, handle, generation, size, dirty: false, owing: false }
}

const isShort = (file: Tail, known: Tail): boolean => file.generation === known.generation && file.size < known.size
