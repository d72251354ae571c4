export type * from './api.ts'
export { createEventBus } from './bus.ts'
export {
  AuthError,
  classify,
  ClientError,
  ClosedError,
  ConflictError,
  isPermanentError,
  isPersistenceError,
  LockedError,
  NetworkError,
  NoOwnerError,
  PermanentError,
  PersistenceError,
  type PersistenceErrorInit,
  RateLimitError,
  ServerError,
  StorageError,
  TimeoutError,
} from './errors.ts'
export { backoff } from './operators/backoff.ts'
export { concatMapByLane, type LaneConfig } from './operators/concatMapByLane.ts'
export { dropExpired } from './operators/dropExpired.ts'
export { mergeByPriority, type Prioritized } from './operators/mergeByPriority.ts'
export { nextDelay } from './operators/nextDelay.ts'
export { ofStatus } from './operators/ofStatus.ts'
export { whenOnline } from './operators/whenOnline.ts'
export { coalesce } from './outbox/coalesce.ts'
export { createPersistence } from './persistence.ts'
export { ask } from './resolvers/ask.ts'
export { lastWriteWins, type LastWriteWinsOptions } from './resolvers/lastWriteWins.ts'
export { localWins } from './resolvers/localWins.ts'
export { mergeFields, type MergeFieldsOptions } from './resolvers/mergeFields.ts'
export type { FieldConflict } from './resolvers/mergeObjects.ts'
export { remoteWins } from './resolvers/remoteWins.ts'
export type { StandardIssue, StandardResult, StandardSchemaV1 } from './standardSchema.ts'
export type { JournalStore } from './storage/journalStore.ts'
export { localforageStore, type LocalforageStoreOptions } from './storage/localforage.ts'
export { opfsStore, type OpfsStoreOptions } from './storage/opfs.ts'
export { memoryStore } from './storage/memory.ts'
export type * from './conflict.ts'
export type * from './events.ts'
export type * from './remote.ts'
export type * from './types.ts'
