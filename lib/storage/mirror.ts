import type { SchedulerLike, Subscription } from 'rxjs'
import { StorageError } from '../errors.ts'
import { type Entry, type Lane, laneKey } from '../outbox/lane.ts'
import { knownOf, openedOf, recordsOf } from '../outbox/snapshot.ts'
import type { OutboxState } from '../outbox/state.ts'
import { encodeRecord } from './codec.ts'
import { encodeGroup } from './frame.ts'
import type { Journal } from './journal.ts'
import type { JournalStore } from './journalStore.ts'
import { beganLine, headJournal, headLine, laneLine, type MirrorHead, mirrorSpace } from './mirrorFormat.ts'
import { readHead } from './readMirror.ts'
import type { JournalRecord } from './records.ts'

/** The queue and what is known of entities, kept a second time in another store, for when the journal's is gone. */
export interface Mirror {
  /** A record is in the state now; `entry` is the task it was about. Written behind. */
  changed: (record: JournalRecord, entry: Entry | undefined) => void
  /** Resolves when all that the journal has stored is in the mirror, or could not be. Never rejects. */
  flush: () => Promise<void>
  /** Writes what is missing, if that takes no longer than a moment. */
  close: () => Promise<void>
}

export interface MirrorConfig {
  store: JournalStore
  space: string
  owner: string
  scheduler: SchedulerLike
  state: OutboxState
  /** The leader's journal, and its name. */
  journal: Pick<Journal, 'lsn'>
  name: string
  /** How far it is already; `undefined`: it is written anew. */
  head: MirrorHead | undefined
  isBusy: () => boolean
  trouble: (error: unknown) => void
}

/** Lanes that are read in one go: some milliseconds. */
const piece = 1_024
/** Milliseconds after a change; and between two pieces, as long as there is something else to do. */
const [soon, busyPause] = [250, 2_000]
/** Milliseconds until a write that failed is tried again: doubled from the first to the longest. */
const [firstPause, longestPause] = [1_000, 60_000]
/** Milliseconds that closing waits for it. */
const farewell = 2_000
/** Lanes in the log that are out of date and put up with. */
const tolerated = 1_000

export function createMirror(config: MirrorConfig): Mirror {
  const { store, owner, scheduler, state, journal, trouble } = config
  const space = mirrorSpace(config.space)
  const dirty = new Map<string, Lane>()
  /** Records that no lane has. */
  let others: JournalRecord[] = []
  let head = config.head
  let log = head?.log ?? ''
  let size = head?.size ?? 0
  /** The lanes that a whole round has not come to yet. Those that change meanwhile are dirty, too. */
  let ahead: Iterator<Lane> | undefined
  let inRound = false
  let room = piece
  let lastAt = -Infinity
  let pause = 0
  let timer: Subscription | undefined
  let running: Promise<void> | undefined
  let hurried = false
  let closed = false
  /** What is there is somebody else's. */
  let outdated = false
  /** What was read from the journal is in the state. */
  const replayed = state.lsn
  if (!head) beginAnew()

  const isBehind = () => inRound || ahead !== undefined || dirty.size > 0 || others.length > 0

  function beginAnew(): void {
    head = undefined
    // Never one that somebody else may still write to: each leader has an epoch of its own.
    log = `${state.epoch}.${scheduler.now()}.${state.lsn}`
    size = 0
    dirty.clear()
    ahead = state.lanes.values()
    const { epoch, lsn } = state
    const imported = Array.from(
      state.imported,
      ([writer, upTo]) => ({ writer, upTo, epoch, lsn, kind: 'imported' }) as const,
    )
    const checkpoints = Array.from(
      state.checkpoints,
      ([entityType, data]) => ({ kind: 'checkpoint', lsn, epoch, entityType, data }) as const,
    )
    others = [...imported, ...checkpoints]
    inRound = false
  }

  function startIn(ms: number): void {
    if (closed || outdated || running) return
    timer ??= scheduler.schedule(() => {
      timer = undefined
      // Delivery comes first: while it is busy, a piece now and then.
      if (!pause && config.isBusy() && scheduler.now() - lastAt < busyPause) startIn(soon)
      else void start()
    }, ms)
  }

  function stop(): void {
    timer?.unsubscribe()
    timer = undefined
  }

  function start(): Promise<void> {
    stop()
    return (running ??= run())
  }

  async function run(): Promise<void> {
    try {
      if (!inRound) await check()
      while (isBehind() && !outdated && !closed) {
        await writePiece()
        pause = 0
        if (!hurried && config.isBusy()) break
      }
    } catch (cause) {
      // Once for as long as it lasts.
      if (pause === 0) trouble(new StorageError('The snapshot could not be written.', { cause }))
      pause = Math.min(longestPause, pause > 0 ? pause * 2 : firstPause)
      hurried = false
    }
    running = undefined
    if (isBehind()) startIn(pause > 0 ? pause : busyPause)
  }

  /** Before a round: it has to go on from what is there. */
  async function check(): Promise<void> {
    const found = await readHead(store, config.space)
    // Another one leads; or it is of a journal that is gone, and waits for the next start to be taken over.
    if (found && (found.opened.epoch > state.epoch || found.opened.id !== state.id)) outdated = true
    else if (!head) return
    else if (!found || headLine(found) !== headLine(head)) beginAnew()
    else if (size > 2 * state.lanes.size + tolerated && !config.isBusy()) beginAnew()
  }

  async function writePiece(): Promise<void> {
    const { lsn } = journal
    // By then those who waited for these records have put them into the state.
    await Promise.resolve()
    const now = scheduler.now()
    const wholeRound = ahead !== undefined || !head
    const lines = inRound ? [] : [beganLine(wholeRound)]
    const taken = { lanes: take(), others }
    others = []
    for (const record of taken.others) lines.push(encodeRecord(record))
    for (const lane of taken.lanes) lines.push(...linesOf(lane))
    const isEnd = !ahead && dirty.size === 0
    size += taken.lanes.length
    const opened = { ...openedOf(state), lsn: Math.max(lsn, replayed) }
    const next: MirrorHead = { log, journal: config.name, opened, at: now, size }
    if (isEnd) lines.push(headLine(next))
    try {
      await store.append(space, log, encodeGroup(lines))
    } catch (error) {
      for (const lane of taken.lanes) if (!dirty.has(lane.key)) dirty.set(lane.key, lane)
      others = [...taken.others, ...others]
      throw error
    }
    lastAt = now
    inRound = !isEnd
    room = isEnd ? piece : room * 2
    if (isEnd) await conclude(next)
  }

  async function conclude(next: MirrorHead): Promise<void> {
    const isNew = head?.log !== next.log
    await store.replace(space, headJournal, encodeGroup([headLine(next)]))
    head = next
    if (!isNew) return
    for (const old of await store.list(space)) if (old !== headJournal && old !== log) await store.remove(space, old)
  }

  /** Those that a whole round comes to next, else those that changed: as many as there is room for. */
  function take(): Lane[] {
    const lanes: Lane[] = []
    while (ahead && lanes.length < room) {
      const next = ahead.next()
      if (next.done) ahead = undefined
      else {
        dirty.delete(next.value.key)
        lanes.push(next.value)
      }
    }
    for (const [key, lane] of dirty) {
      if (lanes.length >= room) break
      dirty.delete(key)
      lanes.push(lane)
    }
    return lanes
  }

  function* linesOf(lane: Lane): Generator<string> {
    yield laneLine(lane.entityType, lane.entityId)
    for (const record of knownOf(lane, state)) yield encodeRecord(record)
    for (const entry of [...(lane.dead ?? []), ...lane.queue])
      for (const record of recordsOf(entry, state.epoch, owner)) yield encodeRecord(record)
  }

  async function flush(): Promise<void> {
    if (outdated || (!isBehind() && !running)) return
    hurried = true
    await running
    // What came while it ran, or could not be written a while ago.
    if (isBehind()) await start()
    hurried = false
  }

  if (!head) startIn(soon)
  return {
    flush,
    changed(record, entry) {
      if (outdated || closed) return
      if (record.kind === 'imported' || record.kind === 'checkpoint') others.push(record)
      const isOfLane = record.kind === 'metadata' || record.kind === 'base'
      const named = isOfLane && state.lanes.get(laneKey(record.entityType, record.entityId))
      const lane = entry?.lane ?? (named || undefined)
      if (lane) dirty.set(lane.key, lane)
      if (isBehind()) startIn(soon)
    },
    async close() {
      stop()
      await new Promise<void>((resolve) => {
        const late = scheduler.schedule(() => resolve(), farewell)
        void flush()
          .then(() => store.close())
          .catch(trouble)
          .then(() => (late.unsubscribe(), resolve()))
      })
      closed = true
      stop()
    },
  }
}
