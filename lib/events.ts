import type { OperatorFunction } from 'rxjs'
import type { Conflict } from './conflict.ts'
import type { IncomingChange } from './remote.ts'
import type {
  Operation,
  PersistenceMetadata,
  PersistenceTask,
  PersistReceipt,
  TaskError,
  TaskOptions,
} from './types.ts'

/** Entity types and their shapes: `{ note: Note; tag: Tag }`. */
export type EntityMap = object
export type EntityType<E extends EntityMap> = keyof E & string

type Stated<E extends EntityMap> = {
  [K in EntityType<E>]: { entityType: K; data: E[K] } & TaskOptions
}[EntityType<E>]
type Removed<E extends EntityMap> = {
  [K in EntityType<E>]: { entityType: K; id: string; data?: undefined } & TaskOptions
}[EntityType<E>]

/** What the library says of an entity. */
export type EntityNews<E extends EntityMap> = {
  [K in EntityType<E>]: {
    entityType: K
    id: string
    operation: Operation
    taskId: string
    data?: E[K]
    metadata: PersistenceMetadata
  }
}[EntityType<E>]
export type EntityErrorNews<E extends EntityMap> = EntityNews<E> & {
  error: TaskError
  willRetry: boolean
  retryAt?: number
}
/** Both sides changed an entity, and the app is asked: its answer goes to `resolve`. */
export type EntityConflictNews<E extends EntityMap> = {
  [K in EntityType<E>]: Conflict<E[K]> & { entityType: K; metadata: PersistenceMetadata }
}[EntityType<E>]
/** What others changed, once it is the app's. */
export type RemoteNews<E extends EntityMap> = {
  [K in EntityType<E>]: IncomingChange<E[K]> & { entityType: K; metadata: PersistenceMetadata }
}[EntityType<E>]
export interface TaskNews {
  task: PersistenceTask
}

/** Every event of the bus and its payload. */
export interface OutboxEvents<E extends EntityMap> {
  'entity:created': Stated<E>
  'entity:updated': Stated<E>
  'entity:deleted': Stated<E> | Removed<E>
  'entity:persisted': EntityNews<E>
  'entity:persist-error': EntityErrorNews<E>
  'entity:update-error': EntityErrorNews<E>
  'entity:delete-error': EntityErrorNews<E>
  'entity:expired': EntityNews<E>
  'entity:conflict': EntityConflictNews<E>
  'entity:remote-changed': RemoteNews<E>
  'queue:task-enqueued': TaskNews
  'queue:task-processing': TaskNews
  'queue:task-completed': TaskNews
  'queue:task-failed': TaskNews
  'queue:task-retrying': TaskNews
  'queue:task-expired': TaskNews
  'queue:task-superseded': TaskNews
  'queue:task-discarded': TaskNews
  'auth:required': { entityType: EntityType<E> }
  'storage:degraded': { error: unknown }
  /** What was restored is stored again. */
  'storage:recovered': StorageRecovery
  'storage:lost': StorageLoss
}

/** The journal, or a part of it, was gone. */
export interface StorageLoss {
  /** A `StorageError`; also on `errors$`. */
  error: unknown
  /** Epoch ms: what was stored before then is back. Without it nobody knows what is missing. */
  since?: number
  /** The number of the journal's last record that is sure to be back; 0 for none. */
  lsn: number
}

/** What came back from the snapshot. */
export interface StorageRecovery {
  /** Tasks that wait, parked ones too. */
  tasks: number
  dead: number
  /** Entities of which something is known. */
  entities: number
}

/** What the app itself emits. */
export type EntityEventName = 'entity:created' | 'entity:updated' | 'entity:deleted'

/** An entity event as the operators of its type see it. */
export interface EntityEvent<T = unknown> extends TaskOptions {
  entityType: string
  id: string
  operation: Operation
  data?: T
}

/** Plain RxJS around the two places where an entity type may want its own rules. */
export interface EntityOperators<T> {
  /** On bus events, before they become tasks. */
  events?: OperatorFunction<EntityEvent<T>, EntityEvent<T>>
  /** Around each call of the strategy. */
  attempt?: OperatorFunction<PersistReceipt<T> | void, PersistReceipt<T> | void>
}
