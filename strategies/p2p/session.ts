import {
  BehaviorSubject,
  catchError,
  EMPTY,
  distinctUntilChanged,
  finalize,
  map,
  mergeMap,
  Observable,
  of,
  Subject,
  type SchedulerLike,
  switchMap,
  tap,
  timer,
} from 'rxjs'
import { backoff, isPermanentError, StorageError } from 'rx-outbox'
import { type Confirmed, type Conversation, converse } from './conversation.ts'
import { createTrials } from '../crdt/trials.ts'
import { type Documents, type DocumentStorage, openDocuments } from './documents.ts'
import type { PeerLimits } from './limits.ts'
import type { IsOurs } from './takeUpdate.ts'
import type { PeerTransport } from './transport.ts'
import type { ReportTrouble } from './trouble.ts'

/** This device while it is in the room. */
export interface Session {
  documents: Documents
  /** The other devices that are here and know what this one has. */
  devices$: Observable<ReadonlySet<string>>
  /** Ids of documents that grew by what others did. */
  grown$: Observable<string>
  /**
   * Sends an edit to all that are here, and to whoever comes until the teardown; `confirmed` hears of each device, tabs
   * of this one aside, that has stored it.
   */
  offer: (id: string, update: Uint8Array, confirmed: Confirmed) => () => void
  /** Whether fewer devices than `acks` have been here for `patience`. */
  isLonely$: Observable<boolean>
}

export interface SessionOptions {
  storage: DocumentStorage | undefined
  prefix: string
  transport: PeerTransport
  limits: PeerLimits
  acks: number
  patience: number
  isOurs: IsOurs
  report: ReportTrouble
  scheduler: SchedulerLike
}

/** When there is no room (no signalling server, say), in milliseconds. */
const again = { maxRetries: Infinity, initialDelay: 2_000, multiplier: 2, maxDelay: 60_000 }

/** Opens the documents, enters the room while it is subscribed to, and leaves it at the end. */
export function openSession(options: SessionOptions): Observable<Session> {
  const { storage, prefix, transport, limits, acks, patience, isOurs, report, scheduler } = options
  return new Observable<Session>((subscriber) => {
    if (!storage) {
      subscriber.error(new StorageError('There is no IndexedDB here: p2pStrategy needs the option `storage`'))
      return
    }
    openDocuments(storage, prefix, report).then(
      (documents) => {
        if (!subscriber.closed) subscriber.add(enter(documents))
      },
      (error: unknown) => subscriber.error(error),
    )

    function enter(documents: Documents) {
      const present = new Set<Conversation>()
      const waiting = new Set<(conversation: Conversation) => void>()
      const banned = new Set<string>()
      const devices$ = new BehaviorSubject<ReadonlySet<string>>(new Set())
      const grown$ = new Subject<string>()

      const count = () => {
        const devices = [...present].map(({ device }) => device).filter((device) => device !== undefined)
        devices$.next(new Set(devices.filter((device) => device !== documents.device)))
      }
      const trials = createTrials({ limits: { ...limits, maxPendingBytes: 0 }, scheduler })
      subscriber.add(trials.close)
      const context = {
        documents,
        limits,
        isOurs,
        trials,
        report,
        ready(conversation: Conversation) {
          present.add(conversation)
          for (const offer of waiting) offer(conversation)
          count()
        },
        grown(id: string, update: Uint8Array, from: Conversation) {
          // Not everybody is connected with everybody.
          for (const conversation of present) if (conversation !== from) conversation.offer(id, update)
          grown$.next(id)
        },
        ban: (peer: string) => void banned.add(peer),
      }

      const isLonely$ = new BehaviorSubject(false)
      const watch = devices$
        .pipe(
          map(({ size }) => size >= acks),
          distinctUntilChanged(),
          switchMap((isEnough) => (isEnough ? of(false) : timer(patience, scheduler).pipe(map(() => true)))),
        )
        .subscribe(isLonely$)
      subscriber.add(watch)

      subscriber.next({
        documents,
        devices$,
        grown$,
        isLonely$,
        offer(id, update, confirmed) {
          const offer = (conversation: Conversation) =>
            conversation.offer(id, update, (device) => {
              if (device !== documents.device) confirmed(device)
            })
          waiting.add(offer)
          for (const conversation of present) offer(conversation)
          return () => waiting.delete(offer)
        },
      })
      return transport(report)
        .pipe(
          mergeMap((link) => {
            if (banned.has(link.peer)) {
              link.close()
              return EMPTY
            }
            const { conversation, run$ } = converse(link, context)
            return run$.pipe(
              finalize(() => {
                if (present.delete(conversation)) count()
              }),
            )
          }),
          tap({
            error: (cause: unknown) => {
              const why = isPermanentError(cause) ? cause.message : 'it is tried again'
              report({ what: 'transport', message: `There is no room: ${why}`, cause })
            },
          }),
          backoff({ ...again, scheduler }),
          // It was told; what is stored here can still be read and changed.
          catchError(() => EMPTY),
        )
        .subscribe()
    }
  })
}
