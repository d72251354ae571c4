import {
  type AttemptContext,
  isPersistenceError,
  PermanentError,
  type PersistenceStrategy,
  type PersistReceipt,
  type PullPage,
  type PullRequest,
  type RemoteChange,
  ServerError,
} from 'rx-outbox'
import { defer, type Observable, ReplaySubject, Subject, switchMap } from 'rxjs'
import type * as Y from 'yjs'
import { applyChange, type Change, changeOf, isChange, startOf, versionOf } from './crdt/change.ts'
import { browserStorage } from './crdt/documentStorage.ts'
import { readEntity } from './crdt/entityDoc.ts'
import { announce, entriesOf, isSeen, unseen } from './crdt/entityIndex.ts'
import { hocuspocusConnection } from './crdt/hocuspocus.ts'
import { live } from './crdt/live.ts'
import { type CrdtOptions, withDefaults } from './crdt/options.ts'
import { socketUrl } from './crdt/socketUrl.ts'
import { wellFormed } from './crdt/plainValue.ts'
import { createReplicas, ours, type Replicas } from './crdt/replicas.ts'
import { uniqueName } from './crdt/uniqueName.ts'

export { checkUpdate, type UpdateLimits } from './crdt/applyForeign.ts'
export type { Attachment, CrdtConnection } from './crdt/connection.ts'
export type { DocumentStorage } from './crdt/documentStorage.ts'
export type { CrdtOptions } from './crdt/options.ts'

export interface CrdtStrategy<T> extends PersistenceStrategy<T> {
  pull: (request: PullRequest) => Promise<PullPage<T>>
  changes$: Observable<RemoteChange<T>>
  /** Ends the connection; the next task or pull makes a new one. */
  close: () => void
}

/** Documents looked at in one go: servers limit how many are opened at once. */
const atOnce = 16

/** Milliseconds for a look at a document that no task and no pull waits for. */
const lookTime = 30_000

type Row<T> = { id: string; data: T; version: string } | { id: string; deleted: true }

/**
 * Persists the entities of one type as Yjs documents on a Hocuspocus server: edits of several devices merge, and there
 * are no conflicts. A task is persisted when the server has acknowledged it.
 * @throws TypeError for a wrong option
 *
 * @example
 * createPersistence({ strategies: { card: crdtStrategy<Card>({ collection: 'cards', url: '/crdt', text: ['body'] }) } })
 */
export function crdtStrategy<T>(options: CrdtOptions<T>): CrdtStrategy<T> {
  const { collection, text, schema, token, limits, WebSocketPolyfill, ...rest } = withDefaults(options)
  const connect =
    rest.connect ??
    ((owner) => {
      const url = socketUrl(rest.url)
      return hocuspocusConnection({ url, limits, WebSocketPolyfill, token: () => token(owner) })
    })
  const author = uniqueName()
  let announced = 0
  /** By entity, the version of it that the app was given last. */
  const told = new Map<string, string>()
  /** Entities of which rows went out since they were last written here: they may have been put aside, unseen. */
  const shown = new Set<string>()
  const written$ = new Subject<string>()
  const opened$ = new ReplaySubject<Replicas>(1)
  let opened: { owner: string; replicas: Replicas } | undefined

  /** What one owner has open is closed before anything of the next one's is opened. */
  function replicasOf(owner: string): Replicas {
    if (opened?.owner === owner) return opened.replicas
    close()
    const storage = rest.storage ?? browserStorage('crdt')
    const keyOf = (name: string) => JSON.stringify([owner, name])
    const replicas = createReplicas({ connection: connect(owner), storage, keyOf, index: collection })
    opened = { owner, replicas }
    opened$.next(replicas)
    return replicas
  }

  function close(): void {
    opened?.replicas.close()
    opened = undefined
    told.clear()
    shown.clear()
  }

  const latest = () => replicasOf(opened?.owner ?? '')

  function nameOf(id: string): string {
    if (wellFormed(id) !== id) throw new PermanentError('An id with half a character in it is no name of a document')
    return `${collection}/${encodeURIComponent(id)}`
  }
  const idOf = (name: string) => decodeURIComponent(name.slice(collection.length + 1))

  async function persist(
    id: string,
    entity: unknown,
    isNew: boolean,
    attempt: AttemptContext,
  ): Promise<PersistReceipt<T>> {
    const { signal, owner } = attempt
    signal.throwIfAborted()
    const [name, replicas] = [nameOf(id), replicasOf(owner)]
    try {
      const version = await replicas.use(name, signal, async (doc, settle) => {
        const change = await changeFor(doc, entity, isNew, attempt)
        told.set(id, change.version)
        applyChange(doc, change, ours)
        await settle()
        return change.version
      })
      await ring(replicas, id, signal)
      // What was put aside is out of date by now.
      if (shown.delete(id)) told.delete(id)
      written$.next(id)
      return { version }
    } catch (error) {
      // It may hold what the server has not acknowledged: the next attempt brings it again, or it was discarded.
      replicas.drop(name)
      throw error
    }
  }

  /** The edit of a task is made once, and stored before it is sent: every attempt sends the same one. */
  async function changeFor(doc: Y.Doc, entity: unknown, isNew: boolean, attempt: AttemptContext): Promise<Change> {
    if (isChange(attempt.progress)) return attempt.progress
    const change = changeOf(doc, startOf(doc, entity, isNew, attempt.version), entity, text)
    await attempt.saveProgress(change)
    attempt.signal.throwIfAborted()
    return change
  }

  /** Makes the other devices look at an entity. */
  function ring(replicas: Replicas, id: string, signal: AbortSignal): Promise<void> {
    return replicas.use(collection, signal, async (index, settle) => {
      announced += 1
      index.transact(() => announce(index, { id, author, count: announced }), ours)
      await settle()
    })
  }

  function rowOf(id: string, doc: Y.Doc): Row<T> | undefined {
    const read = readEntity(doc)
    if (read.is === 'none') return undefined
    if (read.is === 'deleted') return { id, deleted: true }
    return { id, data: fitted(id, read.data), version: versionOf(doc) }
  }

  function fitted(id: string, data: unknown): T {
    const result = schema?.['~standard'].validate(data)
    if (result instanceof Promise) throw new TypeError('crdtStrategy: `schema` must be synchronous')
    if (result?.issues) throw new ServerError(`${nameOf(id)} does not fit the schema: ${result.issues[0]?.message}`)
    return data as T
  }

  async function pull({ checkpoint, limit, signal }: PullRequest): Promise<PullPage<T>> {
    const replicas = latest()
    try {
      const from = isSeen(checkpoint) ? checkpoint : {}
      const { ids, seen, more } = await replicas.use(collection, signal, (index) => unseen(index, from, limit), {
        fresh: true,
      })
      const rows: (Row<T> | undefined)[] = []
      for (let at = 0; at < ids.length; at += atOnce) {
        const some = ids.slice(at, at + atOnce)
        rows.push(...(await Promise.all(some.map((id) => replicas.use(nameOf(id), signal, (doc) => rowOf(id, doc))))))
      }
      for (const row of rows) if (row) tell(row)
      return { ...pageOf(rows), checkpoint: seen, more }
    } catch (error) {
      // An app that keeps nothing itself begins with the copies that are here.
      if (checkpoint == null && isPersistenceError(error) && error.category === 'network') return stored(replicas)
      throw error
    }
  }

  async function stored(replicas: Replicas): Promise<PullPage<T>> {
    const index = await replicas.stored(collection)
    const ids = new Set(entriesOf(index).map(({ id }) => id))
    const rows = await Promise.all([...ids].map(async (id) => rowOf(id, await replicas.stored(nameOf(id)))))
    return { ...pageOf(rows), checkpoint: {}, more: false }
  }

  async function news(replicas: Replicas, id: string, again: boolean): Promise<RemoteChange<T> | undefined> {
    const row = await replicas.use(nameOf(id), AbortSignal.timeout(lookTime), (doc) => rowOf(id, doc))
    if (!row || (!again && told.get(id) === versionIn(row))) return undefined
    return tell(row)
  }

  function tell(row: Row<T>): Row<T> {
    told.set(row.id, versionIn(row))
    shown.add(row.id)
    return row
  }

  return {
    merges: true,
    persistCreate: ({ id, data }, attempt) => persist(id, data, true, attempt),
    persistUpdate: ({ id, data }, attempt) => persist(id, data, false, attempt),
    persistDelete: (id, _entityType, attempt) => persist(id, undefined, false, attempt),
    pull,
    changes$: defer(() => {
      latest()
      return opened$
    }).pipe(
      switchMap((replicas) =>
        live<T>({ replicas, collection, idOf, written$, atOnce, news: (id, again) => news(replicas, id, again) }),
      ),
    ),
    close,
  }
}

function versionIn<T>(row: Row<T>): string {
  return 'deleted' in row ? 'deleted' : row.version
}

function pageOf<T>(rows: (Row<T> | undefined)[]): Pick<PullPage<T>, 'changed' | 'deleted'> {
  return {
    changed: rows.flatMap((row) => (row && 'data' in row ? [row] : [])),
    deleted: rows.flatMap((row) => (row && 'deleted' in row ? [row.id] : [])),
  }
}
