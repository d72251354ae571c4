import {
  asyncScheduler,
  distinctUntilChanged,
  EMPTY,
  filter,
  fromEvent,
  map,
  merge,
  startWith,
  type Observable,
} from 'rxjs'
import type { LockManagerLike } from './api.ts'

/** The one seam to the outer world: nothing else in the library reads a clock, chance, or a global of the browser. */
export const environment = {
  scheduler: asyncScheduler,
  random: () => Math.random(),
  online$,
  locks,
  channel,
  away$,
  focus$,
  randomBytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)),
  /** WebCrypto, where the page has it (secure contexts only). */
  hasWebCrypto: () => typeof crypto !== 'undefined' && typeof crypto.subtle === 'object',
  encrypt: (how: AesGcmParams, key: CryptoKey, bytes: BufferSource) => crypto.subtle.encrypt(how, key, bytes),
  decrypt: (how: AesGcmParams, key: CryptoKey, bytes: BufferSource) => crypto.subtle.decrypt(how, key, bytes),
  hasIndexedDB: () => typeof indexedDB !== 'undefined',
  hasOpfs: () => typeof Worker !== 'undefined' && typeof files()?.getDirectory === 'function',
  directory: () => navigator.storage.getDirectory(),
  opfsWorker,
  persisted,
}

/** What the browser believes: only `false` is worth something, and only as a hint. */
function online$(): Observable<boolean> {
  const target = typeof window === 'undefined' ? undefined : window
  const events$ = target ? merge(fromEvent(target, 'online'), fromEvent(target, 'offline')) : EMPTY
  const believed = () => typeof navigator === 'undefined' || navigator.onLine !== false
  return events$.pipe(startWith(undefined), map(believed), distinctUntilChanged())
}

/** Web Locks, where the page has them (secure contexts only). */
function locks(): LockManagerLike | null {
  return typeof navigator === 'undefined' || typeof window === 'undefined' ? null : (navigator.locks ?? null)
}

/** A channel between the tabs of an origin; it only wakes, the journals are the truth. */
function channel(name: string): BroadcastChannel | null {
  return typeof window === 'undefined' || typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(name)
}

/** Whether the page lies in the back/forward cache: then it must hold nothing open. */
function away$(): Observable<boolean> {
  if (typeof window === 'undefined') return EMPTY
  const isKept = filter((event: PageTransitionEvent) => event.persisted)
  const hidden$ = fromEvent<PageTransitionEvent>(window, 'pagehide').pipe(isKept)
  const shown$ = fromEvent<PageTransitionEvent>(window, 'pageshow').pipe(isKept)
  return merge(hidden$.pipe(map(() => true)), shown$.pipe(map(() => false)))
}

/** Somebody looks at the page again. */
function focus$(): Observable<unknown> {
  if (typeof window === 'undefined') return EMPTY
  const seen$ = fromEvent(window, 'visibilitychange').pipe(
    filter(({ target }) => Reflect.get(Object(target), 'visibilityState') === 'visible'),
  )
  return merge(fromEvent(window, 'focus'), seen$)
}

/** Files and their rules; secure contexts only. */
function files(): Partial<StorageManager> | undefined {
  return typeof navigator === 'undefined' ? undefined : navigator.storage
}

/** In just this form bundlers see that there is a worker, and take it along. */
function opfsWorker(url?: string | URL): Worker {
  return url === undefined
    ? new Worker(new URL('./storage/opfsWorker.js', import.meta.url), { type: 'module' })
    : new Worker(url, { type: 'module' })
}

/** Whether the browser promises to keep what is stored; `ask`: it should. `undefined` where it does not say. */
async function persisted(ask: boolean): Promise<boolean | undefined> {
  const already = await files()?.persisted?.()
  return already === false && ask ? files()?.persist?.() : already
}
