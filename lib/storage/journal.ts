import type { SchedulerLike, Subscription } from 'rxjs'
import { ClosedError, LockedError, StorageError } from '../errors.ts'
import { encodeRecord } from './codec.ts'
import { encodeGroup } from './frame.ts'
import type { JournalStore } from './journalStore.ts'
import { patiently } from './patience.ts'
import type { JournalRecord } from './records.ts'

/** The writing side of one journal. Everything that came since the last append goes into the next one: group commit. */
export interface Journal {
  readonly name: string
  /**
   * Resolves when the records are stored. What an app waits for (`'enqueue'`) is rejected with a `StorageError` when it
   * could not be stored; everything else, and everything while the journal is locked, is kept and written again until it is. After `close()` both are rejected with
   * a `ClosedError`.
   */
  write: (records: JournalRecord[], kind: 'enqueue' | 'state') => Promise<void>
  /** Written behind: with the next group, or a moment later. Nobody waits for it. */
  note: (record: JournalRecord) => void
  /** Resolves when all that was written so far is stored, or could not be. */
  flush: () => Promise<void>
  /**
   * Puts what `records` gives then in the place of everything, as soon as nothing waits to be appended; rejects with a
   * `StorageError` where that failed: then everything is as it was.
   */
  compact: (records: () => Iterable<JournalRecord>) => Promise<void>
  /** Records in the journal, garbage included. */
  readonly size: number
  /** Of the last record that this writer has stored; 0 before. */
  readonly lsn: number
  /** Nothing waits to be written. */
  readonly clean: boolean
  /** Writes what waits, and lets go of the timer. */
  close: () => Promise<void>
}

export interface JournalConfig {
  store: JournalStore
  space: string
  name: string
  scheduler: SchedulerLike
  /** Records that are there already. */
  size: number
  /** These are stored now, behind all before them. */
  stored: (records: JournalRecord[]) => void
  /** A write failed, or works again (`undefined`). */
  trouble: (error: StorageError | undefined) => void
  /** Nothing waits to be written any more. */
  rested: () => void
}

interface Write {
  records: JournalRecord[]
  kind: 'enqueue' | 'state'
  done?: () => void
  failed?: (error: unknown) => void
}

interface Compaction {
  records: () => Iterable<JournalRecord>
  done: () => void
  failed: (error: unknown) => void
}

/** Milliseconds for which a record that nobody waits for may stay in memory. */
const behind = 50
/** Milliseconds until a failed write is tried again: doubled from the first to the longest. */
const [firstPause, longestPause] = [1_000, 60_000]

export function createJournal(config: JournalConfig): Journal {
  const { store, space, name, scheduler } = config
  let writes: Write[] = []
  let compaction: Compaction | undefined
  let busy: Promise<void> | undefined
  let size = config.size
  let lsn = 0
  let pause = 0
  let timer: Subscription | undefined
  let isLate = false
  /** What could not be written waits for its pause to pass. */
  let isPausing = false
  let closed = false

  function late(error: StorageError): void {
    isLate = true
    config.trouble(error)
  }

  function start(): Promise<void> {
    timer?.unsubscribe()
    timer = undefined
    isPausing = false
    return (busy ??= run())
  }

  function startIn(ms: number): void {
    if (!closed) timer ??= scheduler.schedule(() => void start(), ms)
  }

  async function run(): Promise<void> {
    // All calls of one tick share the first group, and calls that come meanwhile the next one.
    await Promise.resolve()
    do {
      // What waits to be appended is in the state already: behind a compaction it would be said twice.
      if (writes.length === 0 && compaction) await replace(compaction)
      else if (writes.length > 0 && !(await append(writes))) {
        isPausing = true
        startIn(pause)
        break
      }
    } while (writes.length > 0 || compaction)
    // In the same step in which nothing was left: what comes next starts a run of its own.
    busy = undefined
    config.rested()
  }

  /** Says whether to go on at once: not, where what is kept has to be tried again. */
  async function append(group: Write[]): Promise<boolean> {
    writes = []
    const records = group.flatMap((write) => write.records)
    try {
      const lines = records.map(encodeRecord)
      await patiently(store.append(space, name, encodeGroup(lines)), scheduler, late)
    } catch (cause) {
      const error = storageError(cause)
      const isLocked = error instanceof LockedError
      pause = Math.min(longestPause, pause > 0 ? pause * 2 : firstPause)
      // What an app waits for is told at once; the rest stays first in line.
      writes = [...group.filter(({ kind }) => isLocked || kind === 'state'), ...writes]
      if (isLocked) void error.unlocked?.then(() => (closed ? undefined : start()))
      else for (const { kind, failed } of group) if (kind === 'enqueue') failed?.(error)
      config.trouble(error)
      return writes.length === 0
    }
    size += records.length
    lsn = records.at(-1)?.lsn ?? lsn
    config.stored(records)
    if (pause > 0 || isLate) config.trouble(undefined)
    pause = 0
    isLate = false
    for (const { done } of group) done?.()
    return true
  }

  async function replace({ records, done, failed }: Compaction): Promise<void> {
    compaction = undefined
    try {
      const lines = Array.from(records(), encodeRecord)
      await patiently(store.replace(space, name, encodeGroup(lines)), scheduler, late)
      size = lines.length
      done()
    } catch (cause) {
      const error = storageError(cause)
      late(error)
      failed(error)
    }
  }

  function flush(): Promise<void> {
    // What failed is tried again in its own time, however often somebody asks for it.
    if (isPausing) return Promise.resolve()
    return writes.length > 0 || busy ? start() : Promise.resolve()
  }

  return {
    name,
    write: (records, kind) =>
      new Promise<void>((done, failed) => {
        if (closed) throw new ClosedError('The journal is closed.')
        writes.push({ records, kind, done, failed })
        void start()
      }),
    note(record) {
      const last = writes.at(-1)
      if (last && !last.done) last.records.push(record)
      else writes.push({ records: [record], kind: 'state' })
      if (!busy) startIn(behind)
    },
    flush,
    compact: (records) =>
      new Promise<void>((done, failed) => {
        // Whoever asked before gets what is alive now, too.
        const before = compaction
        compaction = {
          records,
          done: () => (before?.done(), done()),
          failed: (error) => (before?.failed(error), failed(error)),
        }
        void start()
      }),
    get size() {
      return size
    },
    get lsn() {
      return lsn
    },
    get clean() {
      return writes.length === 0 && !busy
    },
    async close() {
      closed = true
      timer?.unsubscribe()
      isPausing = false
      await flush()
      // Only a locked journal has any left.
      for (const { kind, failed } of writes) if (kind === 'enqueue') failed?.(new ClosedError('The journal is closed.'))
    },
  }
}

function storageError(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause
  return new StorageError('The journal could not be written.', { cause })
}
