import {
  defaultIfEmpty,
  defer,
  finalize,
  from,
  map,
  type Observable,
  of,
  type SchedulerLike,
  takeLast,
  tap,
  throwError,
  throwIfEmpty,
  timeout,
} from 'rxjs'
import { TimeoutError } from '../errors.ts'
import type { Entry } from '../outbox/lane.ts'
import { decodeValue } from '../storage/value.ts'
import type {
  AttemptContext,
  EntityOperators,
  PersistableEntity,
  PersistenceMetadata,
  PersistenceStrategy,
  PersistReceipt,
  Reconciliation,
} from '../types.ts'

export interface AttemptConfig {
  owner: string
  attemptTimeout: number
  scheduler: SchedulerLike
  metadataOf: (entry: Entry) => PersistenceMetadata
  saveProgress: (entry: Entry, value: unknown) => Promise<void>
  operatorOf: (entityType: string) => EntityOperators<unknown>['attempt']
}

/** One call of a strategy: its last value at completion, or its error; an answer that comes too late is ignored. */
export interface Attempts {
  persist: (entry: Entry, strategy: PersistenceStrategy<unknown>) => Observable<PersistReceipt>
  reconcile: (entry: Entry, strategy: PersistenceStrategy<unknown>) => Observable<Reconciliation<unknown>>
}

export function createAttempts(config: AttemptConfig): Attempts {
  const { owner, attemptTimeout, scheduler } = config

  /** Gives the call a signal that is aborted when nobody listens to its answer any more. */
  function within<R>(entry: Entry, call: (context: AttemptContext) => Observable<R>): Observable<R> {
    return defer(() => {
      const controller = new AbortController()
      let answered = false
      return call(contextOf(entry, controller.signal)).pipe(
        timeout({
          first: attemptTimeout,
          scheduler,
          with: () => throwError(() => new TimeoutError(`No answer within ${attemptTimeout} ms.`)),
        }),
        tap({ complete: () => (answered = true), error: (error) => (answered = !(error instanceof TimeoutError)) }),
        finalize(() => {
          if (!answered) controller.abort()
        }),
      )
    })
  }

  function contextOf(entry: Entry, signal: AbortSignal): AttemptContext {
    const { mark, progress } = entry
    return {
      taskId: entry.id,
      idempotencyKey: entry.key,
      attempt: entry.retryCount + 1,
      owner,
      schemaVersion: entry.schemaVersion,
      signal,
      backendId: mark?.backendId,
      version: mark?.version,
      base: mark?.base === undefined ? undefined : decodeValue(mark.base),
      backendIdOf(entityType, id) {
        const at = (entry.dependsOn ?? []).findIndex((ref) => ref.entityType === entityType && ref.id === id)
        return mark?.backendIds?.[at] ?? undefined
      },
      progress: progress === undefined ? undefined : decodeValue(progress),
      saveProgress: (value) => config.saveProgress(entry, value),
    }
  }

  function entityOf(entry: Entry): PersistableEntity<unknown> {
    return {
      id: entry.lane.entityId,
      entityType: entry.lane.entityType,
      data: entry.data === undefined ? undefined : decodeValue(entry.data),
      metadata: config.metadataOf(entry),
    }
  }

  return {
    persist: (entry, strategy) =>
      within(entry, (context) => {
        const { entityId, entityType } = entry.lane
        const answer$ = defer(() => {
          switch (entry.operation) {
            case 'create':
              return from(strategy.persistCreate(entityOf(entry), context) ?? [])
            case 'update':
              return from(strategy.persistUpdate(entityOf(entry), context) ?? [])
            case 'delete':
              return from(strategy.persistDelete(entityId, entityType, context) ?? [])
          }
        })
        const own = config.operatorOf(entityType)
        return (own ? answer$.pipe(own) : answer$).pipe(takeLast(1), defaultIfEmpty(undefined), map(believable))
      }),
    reconcile: (entry, strategy) =>
      within(entry, (context) => {
        const asked = strategy.reconcile?.(entityOf(entry), context)
        return asked ? from(asked).pipe(takeLast(1)) : of<Reconciliation<unknown>>('unknown')
      }).pipe(throwIfEmpty(() => new TypeError('reconcile() completed without a value.'))),
  }
}

/** Only what has the right type is believed of a receipt. */
function believable(receipt: PersistReceipt | void): PersistReceipt {
  if (typeof receipt !== 'object' || receipt === null) return {}
  const { backendId, version, syncedAt, data } = receipt
  const kept: PersistReceipt = {}
  if (typeof backendId === 'string') kept.backendId = backendId
  if (typeof version === 'string' || (typeof version === 'number' && Number.isFinite(version))) kept.version = version
  if (typeof syncedAt === 'number' && Number.isFinite(syncedAt)) kept.syncedAt = syncedAt
  if (data !== undefined) kept.data = data
  return kept
}
