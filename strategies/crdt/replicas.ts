import { NetworkError } from 'rx-outbox'
import {
  catchError,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  map,
  type Observable,
  ReplaySubject,
  Subject,
  switchMap,
} from 'rxjs'
import type * as Y from 'yjs'
import { untilAborted } from '../rest/untilAborted.ts'
import type { Attachment, CrdtConnection } from './connection.ts'
import { type DocumentStorage, loadCopy, storeCopy } from './documentStorage.ts'

/** Documents that nobody uses stay attached, up to this many: they hear of changes, and heal a server that lost some. */
const keptAttached = 64

interface Replica {
  loaded: Promise<{ doc: Y.Doc; attachment: Attachment }>
  users: number
  attachment?: Attachment
  changed: boolean
}

/** Origin of edits made here; all others came from outside. */
export const ours = Symbol('ours')

export interface ReplicaContext {
  connection: CrdtConnection
  storage: DocumentStorage | undefined
  keyOf: (name: string) => string
  /** Stays attached. */
  index: string
}

export type Replicas = ReturnType<typeof createReplicas>

/** The documents that are in use here, kept equal with the server's. */
export function createReplicas({ connection, storage, keyOf, index }: ReplicaContext) {
  // Least recently used first.
  const open = new Map<string, Replica>()
  const updated$ = new Subject<{ name: string; doc: Y.Doc }>()
  const indexes$ = new ReplaySubject<Replica>(1)
  let closed = false

  function replicaOf(name: string): Replica {
    const known = open.get(name)
    if (known?.attachment?.broken) drop(name)
    else if (known) open.delete(name)
    const replica = known && !known.attachment?.broken ? known : opened(name)
    open.set(name, replica)
    return replica
  }

  function opened(name: string): Replica {
    const load = async () => {
      const doc = await loadCopy(storage, keyOf(name))
      if (open.get(name) !== replica) throw new NetworkError(`${name} was let go`)
      doc.on('update', (_update: Uint8Array, origin: unknown) => {
        replica.changed = true
        if (origin !== ours) updated$.next({ name, doc })
      })
      const attachment = connection.attach(name, doc, { heartbeat: name === index })
      replica.attachment = attachment
      return { doc, attachment }
    }
    const replica: Replica = { loaded: Promise.resolve().then(load), users: 0, changed: false }
    // Whoever uses it hears of it.
    replica.loaded.catch(() => {})
    if (name === index) indexes$.next(replica)
    return replica
  }

  function drop(name: string): void {
    const replica = open.get(name)
    open.delete(name)
    replica?.attachment?.detach()
  }

  /**
   * Does `work` with a document that has caught up with the server; `settle` waits for it to be acknowledged again.
   * `fresh`: also one that is attached already asks first.
   */
  async function use<R>(
    name: string,
    signal: AbortSignal,
    work: (doc: Y.Doc, settle: () => Promise<void>) => R | Promise<R>,
    options: { fresh?: boolean } = {},
  ): Promise<R> {
    signal.throwIfAborted()
    if (closed) throw new NetworkError('The documents of this owner were let go')
    const replica = replicaOf(name)
    replica.users += 1
    try {
      const { doc, attachment } = await untilAborted(signal, () => replica.loaded)
      await untilAborted(signal, () => attachment.settled(options))
      const result = await work(doc, () => untilAborted(signal, () => attachment.settled()))
      if (replica.changed) {
        replica.changed = false
        await storeCopy(storage, keyOf(name), doc)
      }
      return result
    } finally {
      replica.users -= 1
      for (const [other, { users }] of open) {
        if (open.size <= keptAttached) break
        if (users === 0 && other !== index) drop(other)
      }
    }
  }

  return {
    use,
    drop,
    /** The index, each time it has caught up with the server, also after a break. */
    index$: defer(() => {
      replicaOf(index)
      return indexes$
    }).pipe(switchMap(caughtUp)),
    /** What others changed. */
    updated$: updated$.asObservable(),
    /** A copy as it was stored last, without the server. */
    stored: (name: string) => loadCopy(storage, keyOf(name)),
    close: () => {
      closed = true
      for (const name of open.keys()) drop(name)
      updated$.complete()
      indexes$.complete()
      connection.close()
    },
  }
}

function caughtUp({ loaded }: Replica): Observable<Y.Doc> {
  return defer(() => loaded).pipe(
    switchMap(({ doc, attachment }) =>
      attachment.synced$.pipe(
        distinctUntilChanged(),
        filter(Boolean),
        map(() => doc),
      ),
    ),
    // It was let go before it was attached: another one comes, or nobody needs it.
    catchError(() => EMPTY),
  )
}
