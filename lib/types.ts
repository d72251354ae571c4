import type { Observable, ObservableInput } from 'rxjs'
import type { Conflict } from './conflict.ts'
import type { PullPage, PullRequest, RemoteChange } from './remote.ts'

/** What an app can say happened to an entity. */
export type Operation = 'create' | 'update' | 'delete'

/** How a task may be hurried, limited or made to wait. */
export interface TaskOptions {
  /** Larger goes first, between lanes. @default the option `priority`, else 0 */
  priority?: number
  /** Milliseconds after which delivering is pointless, counted from the event. @default the option `maxAge`, else none */
  maxAge?: number
  /** Epoch ms after which delivering is pointless; the earlier of it and `maxAge` wins. */
  expiresAt?: number
  /** Entities whose tasks, as far as they are here already, have to end first. */
  dependsOn?: EntityRef[]
}

export interface EntityRef {
  entityType: string
  id: string
}

/**
 * How the entities of one type reach a backend: the only thing a new entity type needs.
 * The last value at completion counts; nothing or `void` means `{}`. Members are function-typed, so that a strategy
 * of tags is none of notes; a class implements them as methods.
 *
 * @example
 * class LogStrategy implements PersistenceStrategy<Line> {
 *   async persistCreate(entity: PersistableEntity<Line>) { await post('/log', entity.data) }
 *   async persistUpdate(entity: PersistableEntity<Line>) { await post('/log', entity.data) }
 *   async persistDelete(id: string) { await post('/log/delete', { id }) }
 * }
 */
export interface PersistenceStrategy<T> {
  persistCreate: (entity: PersistableEntity<T>, attempt: AttemptContext) => ObservableInput<PersistReceipt<T> | void>
  persistUpdate: (entity: PersistableEntity<T>, attempt: AttemptContext) => ObservableInput<PersistReceipt<T> | void>
  /** `id` is always the local one; the backend's is `attempt.backendId`. */
  persistDelete: (id: string, entityType: string, attempt: AttemptContext) => ObservableInput<PersistReceipt<T> | void>
  /** Joins two changes that wait. @default the newer replaces the older */
  coalesce?: (older: T, newer: T) => T
  /** Milliseconds for which the remote remembers an idempotency key; 0 = it knows none. @default Infinity */
  keyWindow?: number
  /**
   * The remote merges: a row that meets waiting tasks is no conflict, and they go out with the version they were made on.
   * What came of it is told by `changes$` or `pull` once they are persisted.
   */
  merges?: true
  /** Asked when `keyWindow` has passed and nobody knows: was it applied? */
  reconcile?: (entity: PersistableEntity<T>, attempt: AttemptContext) => ObservableInput<Reconciliation<T>>
  /** What changed since a checkpoint, page by page; a page holds all writes that were answered before it was asked for. */
  pull?: (request: PullRequest) => ObservableInput<PullPage<T>>
  /**
   * Says what happens from when it is subscribed to; what it repeats from before, as it is now. Subscribed to while the tab
   * leads and is online, and after an error again, with back-off; each time a pull follows.
   */
  changes$?: Observable<RemoteChange<T>>
}

export type Reconciliation<T> = { applied: true; receipt?: PersistReceipt<T> } | { applied: false } | 'unknown'

export interface PersistableEntity<T> {
  id: string
  entityType: string
  /** A copy: the strategy may keep and change it. */
  data: T
  metadata: PersistenceMetadata
}

/** What a backend said of a write it accepted. */
export interface PersistReceipt<T = unknown> {
  backendId?: string
  version?: string | number
  data?: T
  /** Epoch ms, by the server's clock. */
  syncedAt?: number
}

/** One call of a strategy: what it may need beyond the entity. */
export interface AttemptContext {
  taskId: string
  /** The same for every attempt of a task; one key stands for one body. */
  idempotencyKey: string
  /** Counted from 1. */
  attempt: number
  owner: string
  schemaVersion: number
  /** Aborted by the attempt's timeout, by `close()` and by a switch of the owner. */
  signal: AbortSignal
  backendId?: string
  version?: string | number
  base?: unknown
  /** The backend's id of an entity named in `dependsOn`. */
  backendIdOf: (entityType: string, id: string) => string | undefined
  /** What `saveProgress` stored last, also by an earlier run of the app. */
  progress: unknown
  /** Resolves when `value` is stored; for strategies of several steps. */
  saveProgress: (value: unknown) => Promise<void>
}

/**
 * `syncStatus` is the first that applies: `error` (a dead letter, or parked behind one), `conflict` (parked by one, or
 * the last attempt was one), `syncing` (in flight), `pending` (anything waits), `synced`.
 */
export interface PersistenceMetadata {
  syncStatus: 'pending' | 'syncing' | 'synced' | 'error' | 'conflict'
  backendId?: string
  lastSyncAt?: number
  version?: string | number
  retryCount: number
  maxRetries: number
  error?: TaskError
}

/** One event once it is in the outbox. */
export interface PersistenceTask<T = unknown> {
  id: string
  owner: string
  entityType: string
  entityId: string
  operation: Operation
  data?: T
  priority: number
  createdAt: number
  retryCount: number
  maxRetries: number
  retryAt?: number
  expiresAt?: number
  maxAge?: number
  dependsOn?: EntityRef[]
  idempotencyKey: string
  firstSentAt?: number
  schemaVersion: number
  error?: TaskError
  /** The dead letter behind which this task is parked. */
  blockedBy?: string
  /** The dead letter that this task tries once more. */
  retryOf?: string
  /** It was sent, and nobody knows whether it was applied. */
  inDoubt?: true
  /** Only on dead letters. */
  outcome?: 'failed' | 'expired'
}

export type ErrorCategory = 'network' | 'timeout' | 'server' | 'client' | 'auth' | 'conflict' | 'rate-limit' | 'unknown'

/** An error as it can be stored and shown. */
export interface TaskError {
  category: ErrorCategory
  message: string
  status?: number
}

/** Every outcome of a task, and every failed attempt. */
export type TaskResult<T = unknown> = {
  taskId: string
  entityType: string
  id: string
  operation: Operation
  task: PersistenceTask<T>
  metadata: PersistenceMetadata
} & TaskEnd<T>

export type TaskEnd<T = unknown> =
  /** `sent: false`: a create and a delete met while waiting, nothing was called. */
  | { status: 'persisted'; receipt: PersistReceipt<T>; sent: boolean }
  | { status: 'retrying'; error: TaskError; retryAt: number }
  | { status: 'failed' | 'expired'; error?: TaskError }
  /** No end either: what follows is decided by the option `conflict`, or by `resolve`. */
  | { status: 'conflict'; error?: TaskError; conflict: Conflict<T> }
  | { status: 'superseded'; supersededBy: string }
  | { status: 'discarded' }

/** How a receipt ends: the task's outcome, or why there is none. */
export type Settled<T = unknown> =
  | Exclude<TaskResult<T>, { status: 'retrying' | 'conflict' }>
  | { status: 'not-stored' }
  /** It ended in another tab, and this one missed how. */
  | { status: 'unseen' }
  | { status: 'closed' }

/** What the direct door gives back. Ignoring either promise raises nothing. */
export interface Receipt<T = unknown> {
  taskId: string
  /** Resolves when the task is stored; rejects with a `StorageError` or a `ClosedError`. */
  durable: Promise<void>
  /** Resolves with the task's end, following whatever superseded it; never rejects. */
  settled: Promise<Settled<T>>
}

export interface OutboxStatus {
  phase: 'opening' | 'running' | 'closed'
  online: boolean
  paused: boolean
  leader: boolean
  /** Could go now. */
  pending: number
  /** In flight. */
  processing: number
  /** Waits for a retry, quiet, a dependency, its lane, the network, `resume()` or `authorized()`. */
  waiting: number
  /** Waits for a decision. */
  parked: number
  dead: number
  /** Entity types that wait for `authorized()`. */
  authRequired: readonly string[]
  storage: StorageStatus
}

export interface StorageStatus {
  /** `'opfs'`, `'localforage'`, `'memory'`, or what the store given says; `'unknown'` until one is chosen. */
  kind: string
  durability: 'relaxed' | 'strict' | 'none'
  /** What a durable task survives at most: a reload of the page, a kill of the browser, a power loss. */
  survives: 'nothing' | 'reload' | 'kill' | 'power loss'
  /** Why the library chose no better store. */
  why?: string
  state: 'opening' | 'ok' | 'degraded' | 'locked' | 'lost'
  /** Whether the browser promised not to evict; `undefined` while unknown. */
  persisted?: boolean
}

export interface RetryConfig {
  /** Retries after the first attempt. @default 3 */
  maxRetries: number
  /** Milliseconds before the first retry. @default 180_000 */
  initialDelay: number
  /** @default 4 */
  multiplier: number
  /** Milliseconds; the longest delay. @default 3_600_000 */
  maxDelay: number
}
