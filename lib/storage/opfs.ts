import { defer, firstValueFrom, retry, type SchedulerLike, throwError, timeout, timer } from 'rxjs'
import { environment } from '../environment.ts'
import type { JournalStore } from './journalStore.ts'
import { createOpfsCalls } from './opfsCalls.ts'
import type { OpfsRequest, Tail } from './opfsFiles.ts'
import { nameOf } from './nameOf.ts'
import { directoriesOf, generationsOf, home, placeOf, trial } from './opfsPlaces.ts'
import { storageFailure } from './storageFailure.ts'
import { header, isComplete } from './syncFile.ts'

export interface OpfsStoreOptions {
  /** `'strict'`: an append is acknowledged after a flush to the disk, and survives a power cut. @default 'relaxed' */
  durability?: 'relaxed' | 'strict'
  /** Where the worker's file is, for pages whose bundler or CSP does not let it be found. @default beside the library */
  workerUrl?: string | URL
  /** Milliseconds after which a call that was not answered counts as failed. @default 30_000 */
  writeTimeout?: number
  /** Measures the time-out. @default asyncScheduler */
  scheduler?: SchedulerLike
}

/**
 * Journals as files of the origin private file system, written by a worker. What is acknowledged survives a kill of the
 * browser; with `durability: 'strict'` a power cut, too.
 *
 * @example opfsStore({ durability: 'strict' })
 */
export function opfsStore({
  durability = 'relaxed',
  workerUrl,
  writeTimeout = 30_000,
  scheduler = environment.scheduler,
}: OpfsStoreOptions = {}): JournalStore & { try: () => Promise<void> } {
  const worker = createOpfsCalls(() => environment.opfsWorker(workerUrl), writeTimeout, scheduler)
  const tails = new Map<string, Tail>()

  /** Asks again while a file changes under the reader's eyes, or a dying worker still holds it. */
  function ask<T>(doing: string, call: () => Promise<T>): Promise<T> {
    const again = (error: unknown, tried: number) =>
      isPassing(error) ? timer(Math.min(100, 10 * tried), scheduler) : throwError(() => error)
    const answer$ = defer(call).pipe(retry({ count: 25, delay: again }), timeout({ first: writeTimeout, scheduler }))
    return firstValueFrom(answer$).catch((cause: unknown) => {
      throw storageFailure(doing, cause)
    })
  }

  async function write(op: 'append' | 'replace', space: string, journal: string, group: Uint8Array): Promise<void> {
    const place = placeOf(space, journal)
    const key = keyOf(place.directories, place.journal)
    // A copy, because its buffer moves to the worker.
    const request = { op, ...place, bytes: group.slice(), strict: durability === 'strict', known: tails.get(key) }
    const tail = await worker.call(request).catch((cause: unknown) => {
      throw storageFailure('Writing to the journal', cause)
    })
    if (tail) tails.set(key, tail)
  }

  async function release(directories: string[], journal: string): Promise<void> {
    const request: OpfsRequest = { op: 'release', directories, journal }
    if (worker.isRunning) await worker.call(request)
    const prefix = keyOf(directories, journal)
    for (const key of tails.keys()) if (key.startsWith(prefix)) tails.delete(key)
  }

  return {
    kind: 'opfs',
    durability,
    survives: durability === 'strict' ? 'power loss' : 'kill',

    list: (space) =>
      ask('Listing the journals', async () => {
        const directory = await directoryOf(space)
        if (!directory) return []
        const holding: string[] = []
        for (const [journal, generations] of generationsOf(await namesIn(directory))) {
          const file = await newestOf(directory, placeOf(space, journal).journal, generations)
          if (file && file.size > header.length) holding.push(journal)
        }
        return holding
      }),

    read: (space, journal) =>
      ask('Reading the journal', async () => {
        const directory = await directoryOf(space)
        const generations = directory && generationsOf(await namesIn(directory)).get(journal)
        const file = generations && (await newestOf(directory, placeOf(space, journal).journal, generations))
        return file ? [new Uint8Array(await file.slice(header.length).arrayBuffer())] : []
      }),

    append: (...args) => write('append', ...args),

    replace: (...args) => write('replace', ...args),

    async remove(space, journal) {
      const place = placeOf(space, journal)
      await release(place.directories, place.journal)
      await ask('Removing the journal', async () => {
        const directory = await directoryOf(space)
        const generations = directory && generationsOf(await namesIn(directory)).get(journal)
        // The newest last: until then it counts.
        for (const generation of generations?.toReversed() ?? [])
          await directory?.removeEntry(place.journal + generation)
      })
    },

    async close(space) {
      if (space !== undefined) return release(directoriesOf(space), '')
      tails.clear()
      await worker.end()
    },

    /** Rejects where the store would not work; writes nothing. */
    async try() {
      await worker.call({ op: 'try', directories: [home], journal: trial })
      await ask('Opening the files', () => environment.directory())
    },
  }
}

const keyOf = (directories: string[], journal: string): string => [...directories, journal].join('/')

/** Where the journals of a space are; `undefined` while there is none. */
async function directoryOf(space: string): Promise<FileSystemDirectoryHandle | undefined> {
  let directory = await environment.directory()
  try {
    for (const name of directoriesOf(space)) directory = await directory.getDirectoryHandle(name)
    return directory
  } catch (error) {
    if (nameOf(error) === 'NotFoundError') return undefined
    throw error
  }
}

/** The names of the files, looked at until two looks agree: in one, a replaced journal may be missed. */
async function namesIn(directory: FileSystemDirectoryHandle): Promise<Set<string>> {
  for (let before: Set<string> | undefined; ;) {
    const names = new Set<string>()
    for await (const name of directory.keys()) names.add(name)
    if (before?.size === names.size && [...names].every((name) => before?.has(name))) return names
    before = names
  }
}

/** The newest generation that was completed. */
async function newestOf(
  directory: FileSystemDirectoryHandle,
  prefix: string,
  generations: readonly number[],
): Promise<File | undefined> {
  for (const generation of generations) {
    const file = await (await directory.getFileHandle(prefix + generation)).getFile()
    if (isComplete(new Uint8Array(await file.slice(0, header.length).arrayBuffer()))) return file
  }
  return undefined
}

const isPassing = (error: unknown): boolean =>
  ['NotFoundError', 'NotReadableError', 'NoModificationAllowedError'].includes(nameOf(error))
