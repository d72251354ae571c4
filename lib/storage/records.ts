import type { EntityRef, Operation, TaskError } from '../types.ts'

/**
 * What a journal says, in order. `lsn` numbers the records of one writer; `epoch` grows with each leader; a task is
 * named by the lsn of its `enqueued` record. Entity data is text (see value.ts) and is read only when it is needed.
 */
export type JournalRecord =
  | Opened
  | Enqueued
  | Sending
  | Retry
  | Ended
  | Superseded
  | Imported
  | Command
  | Metadata
  | Progress
  | Base
  | Checkpoint

interface Numbered {
  lsn: number
  epoch: number
}

/** A leader began, or a compaction did: no lsn up to this one is used again. */
export interface Opened extends Numbered {
  kind: 'opened'
  /** Of the journal, for good: another one began anew, at lsn 1. */
  id?: string
  /** Tasks up to this lsn came back from a mirror; also those without a mark may have been sent, since `doubtSince`. */
  doubtUpTo?: number
  doubtSince?: number
}

export interface Enqueued extends Numbered {
  kind: 'enqueued'
  id: string
  entityType: string
  entityId: string
  operation: Operation
  createdAt: number
  schemaVersion: number
  priority: number
  /** Left out when it is the id. */
  key?: string
  owner?: string
  expiresAt?: number
  maxAge?: number
  dependsOn?: EntityRef[]
  /** The lsn by which it stands in its lane, when that is another's. */
  place?: number
  retryOf?: string
  /** The follower in whose journal it stood before, and its lsn there. */
  from?: string
  fromLsn?: number
  /** The row of the remote that it was made on, where that is not what is known; `was`: what it held before it was deleted. */
  on?: { version?: string | number; data?: string; was?: string }
  /** The app's own state, on which later tasks were made, where that is not this task's data; empty: it was deleted. */
  local?: { data?: string }
  data?: string
}

/** From here on the task may have been sent; this is exactly what every attempt sends. */
export interface Sending extends Numbered {
  kind: 'sending'
  task: number
  firstSentAt: number
  backendId?: string
  version?: string | number
  /** Of the entities named in `dependsOn`, in their order. */
  backendIds?: (string | null)[]
  /** What the change was made on: for conflicts. */
  base?: string
  /** Of a task that was migrated: the version it has now, and what is sent in the place of what was enqueued. */
  schemaVersion?: number
  data?: string
}

export interface Retry extends Numbered {
  kind: 'retry'
  task: number
  retryCount: number
  retryAt: number
  error: TaskError
  /** The wait that the remote asked for (Retry-After), ms: `flush()` does not shorten it. */
  held?: number
  /** Nobody knows whether it was applied. */
  inDoubt?: boolean
  /** It is in conflict, and the app is asked: parked until then. */
  asked?: boolean
}

export interface Ended extends Numbered {
  kind: 'ended'
  task: number
  outcome: 'persisted' | 'failed' | 'expired' | 'superseded' | 'discarded'
  at: number
  backendId?: string
  version?: string | number
  error?: TaskError
  inDoubt?: boolean
  /** The task that made a retry of this dead letter pointless. */
  by?: string
  /** A create and a delete met: nothing was called. */
  unsent?: boolean
  /** What was persisted is kept, for later conflicts. */
  kept?: boolean
  /** What the remote holds now, where that is not the task's data. */
  data?: string
}

/** Two tasks that waited became one: the newer, in the older's place. */
export interface Superseded extends Numbered {
  kind: 'superseded'
  task: number
  by: number
  operation: Operation
  data?: string
}

/** Everything of another writer's journal up to `upTo` is in this one; in a follower's: comes before what follows. */
export interface Imported extends Numbered {
  kind: 'imported'
  writer: string
  upTo: number
}

export interface Command extends Numbered {
  kind: 'command'
  name: string
  task?: string
  entityType?: string
  /** Of `resolve`: the resolution. */
  data?: string
}

export interface Metadata extends Numbered {
  kind: 'metadata'
  entityType: string
  entityId: string
  lastSyncAt?: number
  backendId?: string
  version?: string | number
  /** What both sides agreed on; only of types whose conflicts ask for it. */
  data?: string
}

export interface Progress extends Numbered {
  kind: 'progress'
  task: number
  data: string
}

/** A row of the remote that came while tasks of its entity waited; without `data` it was deleted. `metadata` ends it. */
export interface Base extends Numbered {
  kind: 'base'
  entityType: string
  entityId: string
  version?: string | number
  data?: string
}

export interface Checkpoint extends Numbered {
  kind: 'checkpoint'
  entityType: string
  data: string
}
