import type { Enqueued } from '../storage/records.ts'
import type { EntityRef, Operation, TaskError } from '../types.ts'
import type { Line } from './schedule.ts'

/** A task inside the outbox. Optional fields are absent until they mean something. */
export interface Entry {
  /** Names the task in the journal. */
  readonly lsn: number
  /** Its position in its lane: the lsn of the task it stands for. */
  place: number
  readonly id: string
  readonly key: string
  readonly lane: Lane
  operation: Operation
  /** The entity as text; `undefined` for a delete. */
  data: string | undefined
  priority: number
  readonly createdAt: number
  schemaVersion: number
  expiresAt: number | undefined
  maxAge: number | undefined
  dependsOn: EntityRef[] | undefined
  readonly retryOf: string | undefined
  retryCount: number
  /** Epoch ms; 0 when it may go. */
  retryAt: number
  /** The wait that the remote asked for, ms; 0 when it did not. */
  held: number
  error: TaskError | undefined
  /** Present from the `sending` record on: the input is frozen. */
  mark: Mark | undefined
  /** It may have been applied, and nobody knows. */
  inDoubt: boolean
  progress: string | undefined
  /** The row of the remote that it was made on, where that is not what is known. */
  on: MadeOn | undefined
  /** The app's own state, on which later tasks were made, where that is not this task's data. */
  local: Local | undefined
  /** `parked` waits for a decision: behind a dead create (`blockedBy`), in a conflict that was asked about, or its entity type is unknown. */
  state: 'waiting' | 'sending' | 'parked' | 'dead' | 'ended'
  blockedBy: Entry | undefined
  outcome: 'failed' | 'expired' | undefined
  /** Where the heap of those that expire keeps it. */
  byExpiry: number
  /** Of a dead letter: the later task of the lane that was persisted. */
  overtakenBy: string | undefined
}

export interface Mark {
  /** Epoch ms of the mark, never later than the first request. */
  firstSentAt: number
  backendId: string | undefined
  version: string | number | undefined
  backendIds: (string | null)[] | undefined
  base: string | undefined
  /** The record is stored: the task may go. */
  durable: boolean
}

/** The tasks of one entity, in order, and what is known of the entity. */
export interface Lane extends Line {
  readonly key: string
  readonly entityType: string
  readonly entityId: string
  /** Live tasks by place; one is in flight at most, and it is the first. */
  readonly queue: Entry[]
  dead: Entry[] | undefined
  /** Tasks of other lanes that wait for tasks of this one. */
  waiters: Set<Entry> | undefined
  known: Known | undefined
  /** What the remote holds, where that is not what is known: the tasks have to be based on it, and the app to be told. */
  base: Row | undefined
  /** Epoch ms of the last event: for `quiet`. */
  lastAt: number
}

/** What an app shows of an entity. */
export interface Local {
  /** The entity as text; `undefined` where it was deleted. */
  data: string | undefined
}

/** What outlives the tasks of an entity. */
export interface Known {
  backendId: string | undefined
  version: string | number | undefined
  lastSyncAt: number | undefined
  /** What the next change is counted from: what both sides agreed on last; only of types whose conflicts ask for it. */
  data: string | undefined
}

/** What the remote holds. */
export interface Row {
  version: string | number | undefined
  /** The entity as text; `undefined` where it was deleted. */
  data: string | undefined
}

/** What a change is counted from. */
export interface MadeOn extends Row {
  /** Of a row that was deleted: what both sides agreed on before. */
  was?: string | undefined
}

/** One text for (entityType, id), without collisions whatever they contain. */
export function laneKey(entityType: string, entityId: string): string {
  return `${entityType.length}:${entityType}${entityId}`
}

export function createLane(entityType: string, entityId: string): Lane {
  return {
    key: laneKey(entityType, entityId),
    entityType,
    entityId,
    queue: [],
    dead: undefined,
    waiters: undefined,
    known: undefined,
    base: undefined,
    lastAt: 0,
    rank: 0,
    age: 0,
    byRank: -1,
    byAge: -1,
    byTime: -1,
    dueAt: 0,
  }
}

export function createEntry(record: Enqueued, lane: Lane, state: Entry['state']): Entry {
  return {
    lsn: record.lsn,
    place: record.place ?? record.lsn,
    id: record.id,
    key: record.key ?? record.id,
    lane,
    operation: record.operation,
    data: record.data,
    priority: record.priority,
    createdAt: record.createdAt,
    schemaVersion: record.schemaVersion,
    expiresAt: record.expiresAt,
    maxAge: record.maxAge,
    dependsOn: record.dependsOn,
    retryOf: record.retryOf,
    retryCount: 0,
    retryAt: 0,
    held: 0,
    error: undefined,
    mark: undefined,
    inDoubt: false,
    progress: undefined,
    on: record.on && { version: record.on.version, data: record.on.data, was: record.on.was },
    local: record.local && { data: record.local.data },
    state,
    blockedBy: undefined,
    outcome: undefined,
    byExpiry: -1,
    overtakenBy: undefined,
  }
}

/** Puts a task behind all tasks of its lane with a smaller place. */
export function insertByPlace(queue: Entry[], entry: Entry): void {
  let at = queue.length
  while (at > 0 && (queue[at - 1]?.place ?? 0) > entry.place) at--
  if (at === queue.length) queue.push(entry)
  else queue.splice(at, 0, entry)
}

export function removeFrom(list: Entry[] | undefined, entry: Entry): boolean {
  const at = list ? list.indexOf(entry) : -1
  if (at < 0) return false
  if (at === 0) list?.shift()
  else list?.splice(at, 1)
  return true
}
