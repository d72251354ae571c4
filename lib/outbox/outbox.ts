import { PersistenceError } from '../errors.ts'
import type { Journal } from '../storage/journal.ts'
import type { Ended, Enqueued, JournalRecord, Retry } from '../storage/records.ts'
import type { Operation, PersistReceipt, TaskError } from '../types.ts'
import { Heap } from './heap.ts'
import type { Fact, Unsent } from './facts.ts'
import type { Entry, Lane } from './lane.ts'
import { createSchedule, type Schedule } from './schedule.ts'
import { joinedData, type MergeConfig, mergedOperation } from './merge.ts'
import { present } from './snapshot.ts'
import { createStanding, type Standing } from './standing.ts'
import { createState, type OutboxState } from './state.ts'
import { keptText } from './keptText.ts'

export interface OutboxConfig extends MergeConfig {
  journal: Pick<Journal, 'note'>
  now: () => number
  maxOvertakes: number
  quiet: number
  /** The longest a task may be made to wait, ms: a clock that was set back delays no more than this. */
  longestWait: (entry: Entry) => number
  knows: (entityType: string, schemaVersion: number) => boolean
  /** Types of which it is kept what was persisted last, for conflicts. */
  keeps: (entityType: string) => boolean
  tell: (fact: Fact) => void
  changed: (lane: Lane) => void
  /** A record is in the state now; `entry` is the task it was about. */
  committed?: (record: JournalRecord, entry: Entry | undefined) => void
  trouble: (error: unknown) => void
}

/** The durable queue: takes tasks in, says who is next, and records what became of them. */
export interface Outbox extends Pick<Standing, 'hold'> {
  readonly state: OutboxState
  readonly schedule: Schedule<Lane>
  /** Live tasks by when they expire. */
  readonly expiring: Heap<Entry>
  /** Adds one record to the state. Where its lanes stand then is known after `refreshAll`. */
  fold: (record: JournalRecord) => Entry | undefined
  /** Adds one record to the state, and says where the lanes it touched stand now. */
  commit: (record: JournalRecord) => Entry | undefined
  /** The same, and the record is written behind. */
  note: (record: JournalRecord) => void
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
  /** Puts a new task in the place of one that was not persisted; `retry` says what its attempts were. */
  replace: (older: Entry, record: Enqueued, retry?: Pick<Retry, 'retryCount' | 'retryAt' | 'error'>) => void
  /** An attempt was refused: what follows is decided already. */
  refuse: (entry: Entry, error: TaskError) => void
  /** Parks a task in conflict: the app is asked. */
  ask: (entry: Entry, error: TaskError) => void
  /** Joins what waits behind a task whose conflict is to be answered. */
  joinBehind: (entry: Entry) => void
  /** Ends what `hold` began. */
  letGo: (lane: Lane) => void
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
  const touch = (lane: Lane) => void touched.add(lane)
  const { refresh, hold, letGo, lanesOf } = createStanding({ ...config, lanes: state.lanes, schedule, touch })
  const expiring = new Heap<Entry>(
    { get: ({ byExpiry }) => byExpiry, set: (entry, at) => void (entry.byExpiry = at) },
    (a, b) => (a.expiresAt ?? 0) < (b.expiresAt ?? 0),
  )
  /** Conservation: what was taken in is here, or has ended. Checked at each end, in production too. */
  let [taken, ended] = [0, 0]

  const stamp = () => ({ lsn: ++state.lsn, epoch: state.epoch })

  function fold(record: JournalRecord): Entry | undefined {
    const entry = state.apply(record)
    config.committed?.(record, entry)
    return entry
  }

  function commit(record: JournalRecord): Entry | undefined {
    const entry = fold(record)
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
    succeed(older, newer, operation === 'nothing' ? 'delete' : operation, data)
    if (operation === 'nothing') persisted(newer, {}, false)
  }

  function succeed(older: Entry, newer: Entry, operation: Operation, data?: string): void {
    expiring.delete(older)
    note({ kind: 'superseded', ...stamp(), task: older.lsn, by: newer.lsn, operation, data })
    ended++
    tell({ entry: older, is: 'ended', end: { status: 'superseded', supersededBy: newer.id } })
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
    const kept = config.keeps(entry.lane.entityType) ? keptText(entry, receipt.data) : undefined
    note({ ...stamp(), kind: 'ended', task: entry.lsn, outcome: 'persisted', at, backendId, version, unsent, ...kept })
    count()
    tell({ entry, is: 'ended', end: { status: 'persisted', receipt, sent } })
  }

  function refreshLanes(lanes: Iterable<Lane>): void {
    for (const lane of lanes) touched.add(lane)
    settleTouched()
  }

  function enter(record: Enqueued, isTold?: (taskId: string) => boolean): Entry | undefined {
    const entry = commit(record)
    if (!entry) return undefined
    taken++
    if (entry.expiresAt !== undefined) expiring.set(entry)
    if (!isTold?.(entry.id)) tell({ entry, is: 'enqueued' })
    return entry
  }

  return {
    state,
    schedule,
    expiring,
    fold,
    commit,
    note,
    stamp,
    persisted,
    hold,
    refresh: refreshLanes,
    accept(records, { merge, isTold }) {
      for (const record of records) {
        const entry = enter(record, isTold)
        if (merge && entry) mergeWithOlder(entry)
      }
    },
    replace(older, record, retry) {
      journal.note(record)
      const newer = enter(record)
      if (!newer) return
      if (retry) note({ kind: 'retry', ...stamp(), task: record.lsn, ...retry })
      succeed(older, newer, record.operation)
    },
    refuse: (entry, error) => tell({ entry, is: 'ended', end: { status: 'conflict', error } }),
    ask(entry, error) {
      const { lsn: task, retryCount, inDoubt } = entry
      note({ kind: 'retry', ...stamp(), task, retryCount, retryAt: 0, error, inDoubt, asked: true })
      tell({ entry, is: 'ended', end: { status: 'conflict', error } })
    },
    joinBehind({ lane: { queue } }) {
      for (const later of queue.slice(1)) mergeWithOlder(later)
    },
    letGo(lane) {
      letGo(lane)
      settleTouched()
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
      const more = present({ held: held || undefined, inDoubt: inDoubt || undefined })
      note({ kind: 'retry', ...stamp(), task: entry.lsn, retryCount, retryAt, error, ...more })
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
