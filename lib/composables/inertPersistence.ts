import { EMPTY, of, Subscription } from 'rxjs'
import type { EventBus, Persistence } from '../api.ts'
import { ClosedError } from '../errors.ts'
import type { EntityMap } from '../events.ts'
import type { PersistenceMetadata, Receipt } from '../types.ts'
import { openingStatus } from '../status.ts'

/**
 * The Persistence of a server: opens nothing, keeps nothing, runs no timer. Streams give their initial state and
 * complete; what is given to it settles as closed.
 */
export function inertPersistence<E extends EntityMap>(bus: EventBus<E> = inertBus()): Persistence<E> {
  return {
    bus,
    results$: EMPTY,
    queue$: of(Object.freeze([])),
    dead$: of(Object.freeze([])),
    conflicts$: of(Object.freeze([])),
    status$: of(openingStatus),
    errors$: EMPTY,
    metadata$: () => of(undefined),
    metadata,
    created: refusedReceipt,
    updated: refusedReceipt,
    deleted: refusedReceipt,
    pause: nothing,
    resume: nothing,
    authorized: nothing,
    flush: nothing,
    retry: refused,
    discard: refused,
    resolve: refused,
    retryAll: nothing,
    discardAll: nothing,
    pull: nothing,
    remote$: () => EMPTY,
    idle: nothing,
    close: nothing,
  }
}

function inertBus<E extends EntityMap>(): EventBus<E> {
  function on(): typeof EMPTY
  function on(name: unknown, handler: unknown): Subscription
  function on(_name?: unknown, handler?: unknown): typeof EMPTY | Subscription {
    return handler === undefined ? EMPTY : Subscription.EMPTY
  }
  return { emit: () => {}, on, errors$: EMPTY }
}

function metadata(entityType: string): Promise<Map<string, PersistenceMetadata>>
function metadata(entityType: string, id: string): Promise<PersistenceMetadata | undefined>
async function metadata(
  _entityType: string,
  id?: string,
): Promise<Map<string, PersistenceMetadata> | PersistenceMetadata | undefined> {
  return id === undefined ? new Map() : undefined
}

function refusedReceipt<T>(): Receipt<T> {
  const durable = refused()
  durable.catch(() => {})
  return { taskId: '', durable, settled: Promise.resolve({ status: 'closed' }) }
}

async function refused(): Promise<never> {
  throw new ClosedError('Nothing is stored or sent on a server. Call this in the browser, for example in onMounted().')
}

async function nothing(): Promise<void> {}
