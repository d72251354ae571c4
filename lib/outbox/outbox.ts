import { PersistenceError } from '../errors.ts'
import type { Journal } from '../storage/journal.ts'
import type { Ended, Enqueued, JournalRecord } from '../storage/records.ts'
import type { PersistReceipt, TaskEnd, TaskError } from '../types.ts'
import { Heap } from './heap.ts'
import { type Entry, type Lane, laneKey } from './lane.ts'
import { createSchedule, type Schedule } from './schedule.ts'
import { joinedData, type MergeConfig, mergedOperation } from './merge.ts'
import { present } from './snapshot.ts'
import { waitsFor } from './relations.ts'
import { createState, type OutboxState } from './state.ts'

/** What happened to a task: the outbox says it, others make results and events of it. */
export type Fact =
  | { entry: Entry; is: 'enqueued' | 'processing' }
  | { entry: Entry; is: 'ended'; end: TaskEnd; removed?: true }

/** The ends that need no answer of a remote. */
export type Unsent =
  | { status: 'failed' | 'expired'; error?: TaskError }
  | { status: 'superseded'; supersededBy: string }
  | { status: 'discarded' }

export interface OutboxConfig extends MergeConfig {
  journal: Pick<Journal, 'note'>
  now: () => number
  maxOvertakes: number
  quiet: number
  /** The longest a task may be made to wait, ms: a clock that was set back delays no more than this. */
  longestWait: (entry: Entry) => number
  knows: (entityType: string, schemaVersion: number) => boolean
  tell: (fact: Fact) => void
  changed: (lane: Lane) => void
  /** A record is in the state now; `entry` is the task it was about. */
  committed?: (record: JournalRecord, entry: Entry | undefined) => void
  trouble: (error: unknown) => void
}

/** The durable queue: takes tasks in, says who is next, and records what became of them. */
export interface Outbox {
  readonly state: OutboxState
  readonly schedule: Schedule<Lane>
  /** Live tasks by when they expire. */
  readonly expiring: Heap<Entry>
  /** Adds one record to the state, and says where the lanes it touched stand now. */
  commit: (record: JournalRecord) => Entry | undefined
  /** The number of the next record. */
  stamp: () => { lsn: number; epoch: number }
  /** Tasks that are stored now enter their lanes; `merge` joins them with what waits there, `isTold` says who is known. */
  accept: (records: readonly Enqueued[], how: { merge: boolean; isTold?: (taskId: string) => boolean }) => void
  begin: (entry: Entry) => void
  /** Puts a task back as it was: nothing is counted. */
  giveBack: (entry: Entry, error?: TaskError) => void
  retryLater: (entry: Entry, retry: { retryAt: number; error: TaskError; held: number; inDoubt: boolean }) => void
  persisted: (entry: Entry, receipt: PersistReceipt, sent: boolean) => void
  end: (entry: Entry, end: Unsent, inDoubt?: boolean) => void
  /** Reads these lanes anew. */
  refresh: (lanes: Iterable<Lane>) => void
  /** Reads all lanes anew: after a replay, or when what gates them has changed. */
  refreshAll: () => void
}

export function createOutbox(config: OutboxConfig): Outbox {
  const { journal, now, tell, changed } = config
  const touched = new Set<Lane>()
  const state = createState({ knows: config.knows, touch: (lane) => touched.add(lane) })
  const schedule = createSchedule<Lane>(config.maxOvertakes, ({ entityType }) => entityType)
  const expiring = new Heap<Entry>(
    { get: ({ byExpiry }) => byExpiry, set: (entry, at) => void (entry.byExpiry = at) },
    (a, b) => (a.expiresAt ?? 0) < (b.expiresAt ?? 0),
  )
  /** Conservation: what was taken in is here, or has ended. Checked at each end, in production too. */
  let [taken, ended] = [0, 0]

  const stamp = () => ({ lsn: ++state.lsn, epoch: state.epoch })

  function commit(record: JournalRecord): Entry | undefined {
    const entry = state.apply(record)
    config.committed?.(record, entry)
    settleTouched()
    return entry
  }

  function note(record: JournalRecord): void {
    journal.note(record)
    commit(record)
  }

  function settleTouched(): void {
    for (const lane of touched) {
      touched.delete(lane)
      refresh(lane)
      changed(lane)
    }
  }

  /** Where a lane stands in the schedule: nowhere while it is empty, in flight, parked or blocked. */
  function refresh(lane: Lane): void {
    const head = lane.queue[0]
    const rank = rankOf(lane)
    if (rank !== lane.rank) {
      // A dependency inherits the priority of who waits for it.
      for (const { dependsOn } of lane.queue) {
        for (const on of lanesOf(dependsOn)) if (rank > on.rank || lane.rank === on.rank) touched.add(on)
      }
      lane.rank = rank
    }
    if (head?.state !== 'waiting' || lanesOf(head.dependsOn).some((on) => on !== lane && waitsFor(head, on))) {
      schedule.delete(lane)
      return
    }
    lane.age = head.place
    lane.dueAt = dueAt(head)
    schedule.set(lane, now())
  }

  function rankOf(lane: Lane): number {
    let rank = -Infinity
    for (const { priority } of lane.queue) if (priority > rank) rank = priority
    for (const waiter of lane.waiters ?? []) {
      // Behind a dead letter alone nobody waits.
      if (waiter.lane.rank > rank && (!lane.dead || waitsFor(waiter, lane))) rank = waiter.lane.rank
    }
    return rank
  }

  function dueAt(head: Entry): number {
    const retryAt = head.retryAt === 0 ? 0 : Math.min(head.retryAt, now() + config.longestWait(head))
    if (config.quiet === 0 || head.mark) return retryAt
    return Math.max(retryAt, Math.min(head.lane.lastAt, now()) + config.quiet)
  }

  function lanesOf(dependsOn: Entry['dependsOn']): Lane[] {
    return (dependsOn ?? []).flatMap((ref) => state.lanes.get(laneKey(ref.entityType, ref.id)) ?? [])
  }

  /** Joins a task that just came with the one before it, while nobody may have sent either. */
  function mergeWithOlder(newer: Entry): void {
    const { queue, entityType } = newer.lane
    const older = queue[queue.lastIndexOf(newer) - 1]
    const operation = mergedOperation(older, newer, lanesOf, config)
    if (!older || operation === undefined) return
    let data: string | undefined
    try {
      data = joinedData(older, newer, config.coalesceOf(entityType))
    } catch (error) {
      // Both are sent, then.
      config.trouble(error)
      return
    }
    expiring.delete(older)
    const kept = operation === 'nothing' ? 'delete' : operation
    note({ kind: 'superseded', ...stamp(), task: older.lsn, by: newer.lsn, operation: kept, data })
    ended++
    tell({ entry: older, is: 'ended', end: { status: 'superseded', supersededBy: newer.id } })
    if (operation === 'nothing') persisted(newer, {}, false)
  }

  /** It is no longer in flight: its time may run out again. */
  function back(entry: Entry): void {
    state.become(entry, 'waiting')
    if (entry.expiresAt !== undefined) expiring.set(entry)
  }

  function count(): void {
    ended++
    const { waiting, sending, parked } = state.counts
    const missing = taken - ended - waiting - sending - parked
    if (missing === 0) return
    ended += missing
    config.trouble(new PersistenceError(`The outbox lost count of its tasks: ${missing} of ${taken} are nowhere.`))
  }

  function persisted(entry: Entry, receipt: PersistReceipt, sent: boolean): void {
    expiring.delete(entry)
    const { backendId, version, syncedAt } = receipt
    const at = syncedAt ?? now()
    const unsent = sent ? undefined : true
    note({ ...stamp(), kind: 'ended', task: entry.lsn, outcome: 'persisted', at, backendId, version, unsent })
    count()
    tell({ entry, is: 'ended', end: { status: 'persisted', receipt, sent } })
  }

  function refreshLanes(lanes: Iterable<Lane>): void {
    for (const lane of lanes) touched.add(lane)
    settleTouched()
  }

  return {
    state,
    schedule,
    expiring,
    commit,
    stamp,
    persisted,
    refresh: refreshLanes,
    accept(records, { merge, isTold }) {
      for (const record of records) {
        const entry = commit(record)
        if (!entry) continue
        taken++
        if (entry.expiresAt !== undefined) expiring.set(entry)
        if (!isTold?.(entry.id)) tell({ entry, is: 'enqueued' })
        if (merge) mergeWithOlder(entry)
      }
    },
    begin(entry) {
      schedule.delete(entry.lane)
      state.become(entry, 'sending')
      changed(entry.lane)
      tell({ entry, is: 'processing' })
    },
    giveBack(entry, error) {
      if (entry.state !== 'sending') return
      back(entry)
      if (error) entry.error = error
      refreshLanes([entry.lane])
    },
    retryLater(entry, { retryAt, error, held, inDoubt }) {
      back(entry)
      const retryCount = entry.retryCount + 1
      note({
        kind: 'retry',
        ...stamp(),
        task: entry.lsn,
        retryCount,
        retryAt,
        error,
        ...present({ held: held || undefined, inDoubt: inDoubt || undefined }),
      })
      tell({ entry, is: 'ended', end: { status: 'retrying', error, retryAt } })
    },
    end(entry, end, inDoubt = false) {
      const removed = entry.state === 'dead'
      expiring.delete(entry)
      const record: Ended = { kind: 'ended', ...stamp(), task: entry.lsn, outcome: end.status, at: now() }
      const error = 'error' in end ? end.error : undefined
      const by = end.status === 'superseded' ? end.supersededBy : undefined
      note({ ...record, ...present({ error, by, inDoubt: inDoubt || undefined }) })
      if (!removed) count()
      tell({ entry, is: 'ended', end, ...(removed && { removed }) })
    },
    refreshAll() {
      if (taken === 0) taken = state.counts.waiting + state.counts.sending + state.counts.parked
      refreshLanes(state.lanes.values())
    },
  }
}
