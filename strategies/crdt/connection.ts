import type { Observable } from 'rxjs'
import type * as Y from 'yjs'

/** Keeps documents equal with those of a server. */
export interface CrdtConnection {
  /**
   * Keeps `doc` equal with the server's document `name`, until it is detached; it is settled before anything is written
   * into it. `heartbeat`: says regularly that this device is still there.
   */
  attach: (name: string, doc: Y.Doc, options?: { heartbeat?: boolean }) => Attachment
  close: () => void
}

export interface Attachment {
  /**
   * Resolves when the server has acknowledged all that is in the document, and all that the server has is in it.
   * `fresh`: asks again, whatever it knows already.
   * Rejects with an `AuthError`, a `NetworkError` when the connection is lost or cannot be made, or a `ServerError`.
   */
  settled: (options?: { fresh?: boolean }) => Promise<void>
  /** Whether the document has caught up with the server: false again while the connection is broken. Replays. */
  synced$: Observable<boolean>
  /** The server wants no more of it: only another attachment may help. */
  readonly broken: boolean
  /** Whoever waits for `settled` gets a `NetworkError`. */
  detach: () => void
}
