import {
  type AttemptContext,
  NetworkError,
  PermanentError,
  type PersistenceStrategy,
  type PersistReceipt,
  type PullPage,
  type PullRequest,
  type RemoteChange,
} from 'rx-outbox'
import {
  defer,
  distinctUntilChanged,
  filter,
  fromEvent,
  map,
  merge,
  mergeMap,
  Observable,
  of,
  ReplaySubject,
  retry,
  share,
  Subject,
  switchMap,
  take,
  tap,
  timer,
} from 'rxjs'
import * as Y from 'yjs'
import { applyChange, type Change, changeOf, isChange, startOf, versionOf } from './crdt/change.ts'
import { holdsEntity } from './crdt/entityDoc.ts'
import { type P2pOptions, withDefaults } from './p2p/options.ts'
import { pageOf, rowOf } from './p2p/pageOf.ts'
import { openSession, type Session } from './p2p/session.ts'
import type { PeerTrouble } from './p2p/trouble.ts'

export { broadcastChannelSignalling } from './p2p/broadcastChannelSignalling.ts'
export type { DocumentStorage } from './p2p/documents.ts'
export type { PeerLimits } from './p2p/limits.ts'
export type { P2pCommonOptions, P2pOptions, TransportOptions, WebRtcOptions } from './p2p/options.ts'
export type { Signalling } from './p2p/signalling.ts'
export type { PeerLink, PeerTransport } from './p2p/transport.ts'
export type { PeerTrouble, ReportTrouble } from './p2p/trouble.ts'
export { webSocketSignalling } from './p2p/webSocketSignalling.ts'

export interface P2pStrategy<T> extends PersistenceStrategy<T> {
  changes$: Observable<RemoteChange<T>>
  pull: (request: PullRequest) => Observable<PullPage<T>>
  /** How many other devices are connected; the device is in the room while somebody subscribes. */
  devices$: Observable<number>
  /** What went wrong between devices, as it happens. */
  trouble$: Observable<PeerTrouble>
}

/** Milliseconds for which a device stays in the room after nobody needs it any more. */
const linger = 5_000

/**
 * Persists the entities of one type with the devices of others, without a server: edits travel from browser to browser
 * and merge wherever they meet. A task is persisted when `acks` other devices have stored it.
 * @throws TypeError for a wrong option
 *
 * @example
 * const note = p2pStrategy<Note>({
 *   room: 'family/notes', password, signalling: webSocketSignalling('/signal'),
 *   text: ['body'],
 * })
 * createPersistence({ strategies: { note } })
 */
export function p2pStrategy<T>(options: P2pOptions<T>): P2pStrategy<T> {
  const { room, acks, text, limits, scheduler, ...rest } = withDefaults(options)
  const trouble$ = new Subject<PeerTrouble>()
  const report = (trouble: PeerTrouble) => trouble$.next(trouble)

  const session$ = openSession({ ...rest, prefix: `rx-outbox-p2p/${room}/`, acks, limits, scheduler, report }).pipe(
    tap({ error: (cause: Error) => report({ what: 'storage', message: cause.message, cause }) }),
    share({ connector: () => new ReplaySubject(1), resetOnRefCountZero: () => timer(linger, scheduler) }),
  )
  /** For those that watch: storage that cannot be read is tried again. */
  const lasting$ = session$.pipe(retry({ delay: () => timer(linger, scheduler) }))

  /** Entities in which there is more than what was written here last. */
  const merged$ = new Subject<string>()

  function persist(id: string, entity: unknown, isNew: boolean, attempt: AttemptContext) {
    // Aborted already, nothing is begun; the room is not left while the edit is under way.
    const work$ = session$.pipe(
      switchMap((session) =>
        defer(() => stored(session, id, entity, isNew, attempt)).pipe(
          switchMap((change) => confirmed(session, id, change).pipe(map(() => change.version))),
          tap((version) => {
            if (version !== versionOf(session.documents.get(id))) merged$.next(id)
          }),
        ),
      ),
    )
    return merge(aborted(attempt.signal), work$).pipe(
      take(1),
      map((version): PersistReceipt<T> => ({ version })),
    )
  }

  /** Makes the edit, once for all attempts of its task, and stores the document with it. */
  async function stored({ documents }: Session, id: string, entity: unknown, isNew: boolean, attempt: AttemptContext) {
    const doc = documents.get(id)
    const change = isChange(attempt.progress) ? attempt.progress : await made(doc, entity, isNew, attempt)
    applyChange(doc, change)
    await documents.save(id)
    return change
  }

  async function made(doc: Y.Doc, entity: unknown, isNew: boolean, attempt: AttemptContext): Promise<Change> {
    const change = holdsEntity(doc, entity)
      ? // It came from others, or from an attempt that did not reach them: nobody knows which of it they have.
        { update: Y.encodeStateAsUpdate(doc), version: versionOf(doc) }
      : changeOf(doc, startOf(doc, entity, isNew, attempt.version), entity, text)
    const bytes = Y.encodeStateAsUpdate(doc).length + change.update.length
    if (bytes > limits.maxDocumentBytes)
      throw new PermanentError(`The document would be of ${bytes} bytes; peers take ${limits.maxDocumentBytes}`)
    await attempt.saveProgress(change)
    return change
  }

  function confirmed(session: Session, id: string, { update }: Change): Observable<unknown> {
    const confirmed$ = new Observable<number>((subscriber) => {
      const devices = new Set<string>()
      const withdraw = session.offer(id, update, (device) => subscriber.next(devices.add(device).size))
      subscriber.next(0)
      return withdraw
    }).pipe(filter((count) => count >= acks))
    const tooFew$ = session.isLonely$.pipe(
      filter((isLonely) => isLonely && acks > 0),
      switchMap(() => session.devices$),
      map(({ size }) => {
        throw new NetworkError(`${acks} other devices have to confirm, and ${size} are here`)
      }),
    )
    return merge(confirmed$, tooFew$).pipe(take(1))
  }

  return {
    merges: true,
    persistCreate: ({ id, data }, attempt) => persist(id, data, true, attempt),
    persistUpdate: ({ id, data }, attempt) => persist(id, data, false, attempt),
    persistDelete: (id, _, attempt) => persist(id, undefined, false, attempt),
    pull: (request) =>
      merge(aborted(request.signal), session$.pipe(map(({ documents }) => pageOf<T>(documents, request)))).pipe(
        take(1),
      ),
    changes$: lasting$.pipe(
      switchMap(({ documents, grown$ }) =>
        merge(grown$, merged$).pipe(
          mergeMap((id) => {
            const row = rowOf<T>(documents, id)
            return row ? of(row) : []
          }),
        ),
      ),
    ),
    devices$: lasting$.pipe(
      switchMap(({ devices$ }) => devices$),
      map(({ size }) => size),
      distinctUntilChanged(),
    ),
    trouble$: trouble$.asObservable(),
  }
}

/** Errors with the signal's reason, at once where it is aborted already. */
function aborted(signal: AbortSignal): Observable<never> {
  return defer(() => (signal.aborted ? of(undefined) : fromEvent(signal, 'abort').pipe(take(1)))).pipe(
    map((): never => {
      throw signal.reason
    }),
  )
}
