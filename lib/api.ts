import type { Observable, SchedulerLike, Subscription } from 'rxjs'
import type { StandardSchemaV1 } from './standardSchema.ts'
import type { JournalStore } from './storage/journalStore.ts'
import type { EntityEvent, EntityMap, EntityOperators, EntityType, OutboxEvents, RemoteNews } from './events.ts'
import type { Conflict, ConflictResolver, Resolution } from './conflict.ts'
import type { IncomingChange, PullOptions } from './remote.ts'
import type {
  OutboxStatus,
  PersistenceMetadata,
  PersistenceStrategy,
  PersistenceTask,
  Receipt,
  RetryConfig,
  TaskOptions,
  TaskResult,
} from './types.ts'

/** The app's own bus: entity events go in, what became of them comes out. */
export interface EventBus<E extends EntityMap> {
  /**
   * Tells everybody who listens, synchronously.
   * @throws TypeError for an entity event that cannot be stored; the message names the field's path
   * @throws NoOwnerError while the outbox belongs to nobody
   */
  emit: <N extends keyof OutboxEvents<E>>(name: N, payload: OutboxEvents<E>[N]) => void
  on: {
    <N extends keyof OutboxEvents<E>>(name: N): Observable<OutboxEvents<E>[N]>
    /** A handler that throws or rejects harms nobody; the error shows on `errors$`. */
    <N extends keyof OutboxEvents<E>>(name: N, handler: (payload: OutboxEvents<E>[N]) => unknown): Subscription
  }
  /** What handlers threw. */
  errors$: Observable<unknown>
}

export type Strategies<E extends EntityMap> = { [K in EntityType<E>]: PersistenceStrategy<E[K]> }

type PerType<E extends EntityMap, V> = { [K in EntityType<E>]?: V }

export interface BreakerConfig {
  /** Network-class failures in a row, in different lanes, that open it. @default 5 */
  failures: number
  /** Milliseconds before the first probe. @default 5_000 */
  delay: number
  /** Milliseconds; the longest wait between probes, which double. @default 300_000 */
  maxDelay: number
}

export interface EncryptionKey {
  /** Names the key in what it sealed: ASCII without spaces, and no secret. */
  id: string
  /** AES-GCM, for `encrypt` and `decrypt`; it need not be extractable. */
  key: CryptoKey
}

export interface Encryption {
  /**
   * Gives the key of an owner: with an `id` that key, to read what it sealed; without one the key to write with. While
   * it gives `undefined` the journal is locked: events wait, nothing is sent, and it is asked again after pauses that
   * double up to a minute. Where it gives a promise, things go on as soon as that resolves, for example when the user
   * has unlocked the key. It is asked before every write, so it should remember its answer.
   */
  key: (request: { owner: string; id?: string }) => EncryptionKey | undefined | Promise<EncryptionKey | undefined>
}

/** The part of the Web Locks API that is used: `navigator.locks` fits. */
export interface LockManagerLike {
  request: (
    name: string,
    options: { signal?: AbortSignal; ifAvailable?: boolean; steal?: boolean },
    callback: (lock: unknown) => Promise<void>,
  ) => Promise<unknown>
}

/** How tabs wake each other; what it loses is found in the journals. A `BroadcastChannel` fits. */
export type TabChannel = Pick<BroadcastChannel, 'postMessage' | 'onmessage' | 'close'>

export interface Options<E extends EntityMap> {
  /** Keeps several outboxes of one origin apart. @default 'rx-outbox' */
  name?: string
  /**
   * Whose changes these are. Nothing of one owner is ever sent as another. Before an Observable's first value, events
   * wait for it; `null` is nobody, and `emit` is refused. @default ''
   */
  owner?: string | Observable<string | null>
  /** @default the first that works: OPFS, localforage on IndexedDB, memory; `status$.storage` says which, and why */
  storage?: LocalForageLike | string | JournalStore
  /**
   * `'strict'`: durable survives a power loss, where the store can do that (OPFS); `status$.storage` says what there is.
   * @default 'relaxed'
   */
  durability?: 'relaxed' | 'strict'
  /** Where the OPFS store's worker is: for a strict CSP, or a bundler that does not see workers. @default beside the library */
  workerUrl?: string | URL
  /**
   * Where the queue is kept a second time, a few seconds behind, for when the store itself is gone; `null`: nowhere.
   * @default localforage where the store is OPFS, else none
   */
  snapshot?: LocalForageLike | null
  /** Lanes delivered at once. @default 1 */
  concurrency?: number
  /** @default 0 */
  priority?: number | ((event: EntityEvent) => number)
  /** Takes after which the oldest ready lane goes, whatever its priority; `Infinity` = strict. @default 1_000 */
  maxOvertakes?: number
  /** Milliseconds from the event. @default none */
  maxAge?: number
  /** Milliseconds a lane has to be silent before it is taken: a debounce that is durable at once. @default 0 */
  quiet?: number
  /** Milliseconds after which an attempt counts as failed, even if it ignores its signal. @default 30_000 */
  attemptTimeout?: number
  retryConfig?: Partial<RetryConfig>
  /** Merged field by field over `retryConfig`. */
  retryConfigByEntityType?: PerType<E, Partial<RetryConfig>>
  /** The share of a delay that chance may take away, 0 to 1. @default 0 */
  jitter?: number
  /** Milliseconds; a longer `Retry-After` is cut. @default 86_400_000 */
  maxRetryAfter?: number
  /** @default { failures: 5, delay: 5_000, maxDelay: 300_000 } */
  breaker?: Partial<BreakerConfig> | false
  operators?: { [K in EntityType<E>]?: EntityOperators<E[K]> }
  /** @default data => data.id */
  idOf?: (data: E[EntityType<E>], entityType: EntityType<E>) => string
  /** Checked at the door, synchronously; what is stored is what was given, never the schema's output. */
  schemas?: { [K in EntityType<E>]?: StandardSchemaV1 }
  /**
   * The version of the app's shapes, kept with each task. Tasks of a later one are parked: another tab runs a newer app.
   * @default 1
   */
  schemaVersion?: number
  /**
   * Brings what waits since an older `schemaVersion` into the present shape, just before it is first sent; what may have
   * been sent stays as it was. A task whose migration throws, or gives what its schema refuses, becomes a dead letter.
   *
   * @example migrations: { note: (data, from) => (from < 2 ? { tags: [], ...(data as NoteV1) } : data as Note) }
   */
  migrations?: { [K in EntityType<E>]?: (data: unknown, from: number) => E[K] }
  /**
   * Who decides where both sides changed an entity. Of types named here a copy of each entity's data is kept: what both
   * sides agreed on last.
   *
   * @default ask, without a base
   * @example conflict: { note: mergeFields(), tag: remoteWins }
   */
  conflict?: { [K in EntityType<E>]?: ConflictResolver<E[K]> }
  /**
   * Takes over, per entity type, what others changed: in the tab that leads, so into a store that all tabs share. The
   * checkpoint advances once it has resolved; until then, also after a crash, the same rows come again. Never called with
   * an entity of which anything waits, and never twice at once for a type. Without one each start pulls everything.
   *
   * @example apply: { note: (changes) => notesDb.bulkPut(changes.flatMap(({ data }) => data ?? [])) }
   */
  apply?: { [K in EntityType<E>]?: (changes: readonly IncomingChange<E[K]>[]) => Promise<unknown> | void }
  /** @default { onStart: true, onReconnect: true, onFocus: true, interval: 300_000, live: true, limit: 500 } */
  pull?: Partial<PullOptions> | false
  /**
   * Journals are stored encrypted, with AES-GCM. What was stored before is read as it is, and written anew. An older key
   * is needed until the journals have been written anew: a few seconds after the next start.
   *
   * @default none
   */
  encryption?: Encryption
  /** @default navigator.onLine and its events; `true` where there is none */
  online$?: Observable<boolean>
  /** The only clock and timer. @default asyncScheduler */
  scheduler?: SchedulerLike
  /** 0 ≤ x < 1. @default Math.random */
  random?: () => number
  /** @default random UUIDs, version 4 */
  createId?: () => string
  /** `null`: none, this instance is alone. @default navigator.locks */
  locks?: LockManagerLike | null
  /** Makes the channel between the tabs of one name; `null`: none. @default name => new BroadcastChannel(name) */
  channel?: ((name: string) => TabChannel | null) | null
  /** Milliseconds without a sign of life after which another tab takes the lead. @default 90_000 */
  leaderTimeout?: number
}

/** What is used of localforage: the module itself and every instance of it fit. */
export interface LocalForageLike {
  getItem: <T>(key: string) => Promise<T | null>
  setItem: <T>(key: string, value: T) => Promise<T>
  removeItem: (key: string) => Promise<void>
  keys: () => Promise<string[]>
  iterate: <T, U>(visit: (value: T, key: string, index: number) => U) => Promise<U>
}

/** A conflict of one of the app's entity types. */
export type ConflictOf<E extends EntityMap> = {
  [K in EntityType<E>]: Conflict<E[K]> & { entityType: K }
}[EntityType<E>]

export interface Persistence<E extends EntityMap> {
  bus: EventBus<E>
  /** Every outcome and every failed attempt. Like all streams here: hot, never errors, completes on `close()`. */
  results$: Observable<TaskResult>
  /** Waiting and in-flight tasks in delivery order; lazy, at most once in 16 ms. For panels. */
  queue$: Observable<readonly PersistenceTask[]>
  dead$: Observable<readonly PersistenceTask[]>
  /** Conflicts that wait for `resolve`. */
  conflicts$: Observable<readonly ConflictOf<E>[]>
  status$: Observable<OutboxStatus>
  /** What went wrong outside any task: storage, handlers, operators. */
  errors$: Observable<unknown>
  metadata$: (entityType: EntityType<E>, id: string) => Observable<PersistenceMetadata | undefined>
  metadata: {
    (entityType: EntityType<E>): Promise<Map<string, PersistenceMetadata>>
    (entityType: EntityType<E>, id: string): Promise<PersistenceMetadata | undefined>
  }
  created: <K extends EntityType<E>>(entityType: K, data: E[K], options?: TaskOptions) => Receipt<E[K]>
  updated: <K extends EntityType<E>>(entityType: K, data: E[K], options?: TaskOptions) => Receipt<E[K]>
  deleted: <K extends EntityType<E>>(entityType: K, id: string, options?: TaskOptions) => Receipt<E[K]>
  /** For all tabs of this name and owner, as long as one of them lives. */
  pause: () => Promise<void>
  resume: () => Promise<void>
  /** After `auth:required`, from any tab: the type is delivered again. */
  authorized: (entityType: EntityType<E>) => Promise<void>
  /** Waiting retries become due at once, except under Retry-After. */
  flush: () => Promise<void>
  /** Makes a new task of a dead letter; resolves with its id. */
  retry: (taskId: string) => Promise<string>
  discard: (taskId: string) => Promise<void>
  /**
   * Ends a conflict that was asked about, from any tab; `taskId` is the conflict's. Rejects where the entity or the remote
   * has changed meanwhile and there is no such conflict any more.
   */
  resolve: (taskId: string, resolution: Resolution<E[EntityType<E>]>) => Promise<void>
  retryAll: () => Promise<void>
  discardAll: () => Promise<void>
  /**
   * Asks the remotes what others changed, also while paused; resolves when the app has taken it over. Rejects with what
   * went wrong, for example a `NetworkError` while offline, and with a `PersistenceError` that names rows which could
   * not be taken.
   */
  pull: (entityType?: EntityType<E>) => Promise<void>
  /** What others changed, once `apply` has taken it over; in every tab, as far as it is heard there. */
  remote$: <K extends EntityType<E>>(entityType: K) => Observable<RemoteNews<Pick<E, K>>>
  /** Resolves when nothing could go now, nothing is in flight and all is written; so it resolves while offline. */
  idle: () => Promise<void>
  /** Aborts attempts, writes, then rejects `durable` promises still open with `ClosedError`. */
  close: () => Promise<void>
}
