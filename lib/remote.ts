export interface PullRequest {
  /** The last page's, opaque; `undefined` for the first page of all. */
  checkpoint: unknown
  /** Rows of a page at most, the deleted ones included. */
  limit: number
  owner: string
  /** Aborted by `attemptTimeout`, by `close()` and by a switch of the owner. */
  signal: AbortSignal
}

/** A row as it is now: `id` is the local one. */
export interface RemoteRow<T> {
  id: string
  data: T
  version?: string | number
  backendId?: string
}

/** What changed since a checkpoint, each row as it is now; the checkpoint may be anything that can be stored. */
export interface PullPage<T> {
  /** An error stands for a row that could not be read: it is reported, and the others are taken. */
  changed: (RemoteRow<T> | Error)[]
  deleted: string[]
  checkpoint: unknown
  more: boolean
  /** Epoch ms, by the server's clock. */
  syncedAt?: number
}

/** What others did, live; `hint`: something changed, so pull now. */
export type RemoteChange<T> = RemoteRow<T> | { id: string; deleted: true } | { hint: true }

/** What the remote holds of an entity, for the app to take over; `data` is a copy that it may keep. */
export type IncomingChange<T = unknown> =
  | { id: string; data: T; version?: string | number; deleted?: undefined }
  | { id: string; deleted: true; data?: undefined }

/** When the leader pulls by itself; `pull()` is there all the same. */
export interface PullOptions {
  /** @default true */
  onStart: boolean
  /** @default true */
  onReconnect: boolean
  /** When a tab of the app is looked at again, at most once in five seconds. @default true */
  onFocus: boolean
  /** Milliseconds between two pulls; `false`: none. @default 300_000 */
  interval: number | false
  /** Whether `changes$` of strategies is subscribed to. @default true */
  live: boolean
  /** Rows that are asked for at once. @default 500 */
  limit: number
}
