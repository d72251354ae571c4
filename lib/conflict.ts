/** One entity that was changed here and at the remote. `undefined` for a side that deleted it. */
export interface Conflict<T = unknown> {
  entityType: string
  id: string
  /** The local change, for `resolve`. */
  taskId: string
  /** The local change. */
  operation: 'create' | 'update' | 'delete'
  /** Epoch ms of the local change, by the clock of this device. */
  createdAt: number
  /** What both sides began with; `undefined` where that is not known. */
  base: T | undefined
  local: T | undefined
  remote: T | undefined
}

/** How a conflict ends: with what is here, with what the remote holds, or with something made of both. */
export type Resolution<T = unknown> = 'local' | 'remote' | { merged: T }

/**
 * Decides about conflicts of one entity type; `'ask'` leaves it to the app, which calls `resolve`. It has
 * `attemptTimeout` to answer; where it throws, or answers too late, the app is asked.
 *
 * @example ({ local, remote }) => (local && remote ? { merged: { ...remote, title: local.title } } : 'ask')
 */
export type ConflictResolver<T = unknown> = (
  conflict: Conflict<T>,
) => Resolution<T> | 'ask' | PromiseLike<Resolution<T> | 'ask'>
