import { ServerError } from 'rx-outbox'
import { asyncScheduler, firstValueFrom, fromEvent, map, merge, type SchedulerLike, timer } from 'rxjs'
import * as Y from 'yjs'
import { checkUpdate, updateLimits, type UpdateLimits } from './applyForeign.ts'
import type { EntityState } from './entityDoc.ts'

export interface TrialRequest {
  /** The document as it is. */
  held: Uint8Array
  update: Uint8Array
  limits: Partial<UpdateLimits>
}

export type TrialAnswer = { is: 'ready' } | { is: 'fine'; state: EntityState } | { is: 'refused'; why: string }

export interface TrialsConfig {
  limits: Partial<UpdateLimits>
  /** Starts the worker. @default the one of this package, where there are workers */
  start?: () => Worker | undefined
  scheduler?: SchedulerLike
}

/** Looks at updates from outside before they are applied: at those that may take long in a worker, under a deadline. */
export interface Trials {
  /**
   * What the document would hold with the update; a promise where a worker has to say it.
   * @throws ServerError that says what is wrong with the update; the promise is rejected with it
   */
  examine: (doc: Y.Doc, update: Uint8Array) => EntityState | Promise<EntityState>
  close: () => void
}

/** Pieces times pieces beside them that are compared at worst: some 50 ms on an ordinary computer. */
const lightWork = 3_000_000
/** Milliseconds after which a worker that says nothing is none. */
const patience = 10_000

export function createTrials({ limits, start = startWorker, scheduler = asyncScheduler }: TrialsConfig): Trials {
  const { maxBytes, maxStructs, maxTime } = { ...updateLimits, ...limits }
  let worker: Worker | undefined
  /** There is none, or it cannot be loaded: then this thread has to do. */
  let isAlone = false
  let isClosed = false
  let last: Promise<unknown> = Promise.resolve()

  /** What it says next; `undefined`: it failed, or says nothing in time. */
  function answerOf(from: Worker, ms: number): Promise<TrialAnswer | undefined> {
    const said$ = fromEvent<MessageEvent<TrialAnswer>>(from, 'message').pipe(map(({ data }) => data))
    const nothing$ = merge(fromEvent(from, 'error'), timer(ms, scheduler)).pipe(map(() => undefined))
    return firstValueFrom(merge(said$, nothing$))
  }

  async function started(): Promise<Worker | undefined> {
    const starting = start()
    const isReady = starting && (await answerOf(starting, patience))?.is === 'ready'
    if (isReady && !isClosed) return starting
    starting?.terminate()
    return undefined
  }

  async function elsewhere(doc: Y.Doc, update: Uint8Array): Promise<EntityState> {
    worker ??= isAlone ? undefined : await started()
    isAlone = worker === undefined
    if (!worker) return checkUpdate(doc, update, limits)
    const answer = answerOf(worker, maxTime)
    worker.postMessage({ held: Y.encodeStateAsUpdate(doc), update, limits } satisfies TrialRequest)
    const said = await answer
    if (said?.is === 'fine') return said.state
    if (said?.is === 'refused') throw new ServerError(said.why)
    stop()
    throw new ServerError(`A foreign update was refused: it takes more than ${maxTime} ms to apply`)
  }

  function stop(): void {
    worker?.terminate()
    worker = undefined
  }

  /** What is too much anyway is refused at once. */
  function mayTakeLong(doc: Y.Doc, update: Uint8Array): boolean {
    if (isAlone || update.length > maxBytes) return false
    const held = [...doc.store.clients.values()].reduce((sum, { length }) => sum + length, 0)
    const isMuch = (pieces: number) => pieces * (pieces + held) > lightWork
    // A piece takes a byte at least: what somebody types need not be decoded for this.
    if (!isMuch(update.length)) return false
    const pieces = piecesOf(update)
    return pieces <= maxStructs && isMuch(pieces)
  }

  return {
    examine(doc, update) {
      if (!mayTakeLong(doc, update)) return checkUpdate(doc, update, limits)
      const examined = last.then(() => elsewhere(doc, update))
      last = examined.catch(() => undefined)
      return examined
    },
    close() {
      isClosed = true
      stop()
    },
  }
}

/** None where it cannot be decoded: whoever applies it says so. */
function piecesOf(update: Uint8Array): number {
  try {
    return Y.decodeUpdate(update).structs.length
  } catch {
    return 0
  }
}

/** In just this form bundlers see that there is a worker, and take it along. */
function startWorker(): Worker | undefined {
  if (typeof Worker === 'undefined') return undefined
  try {
    return new Worker(new URL('./trialWorker.js', import.meta.url), { type: 'module' })
  } catch {
    return undefined
  }
}
