import { defer, map, type Observable, type ObservableInput, of } from 'rxjs'
import type { Entry } from '../outbox/lane.ts'
import { decodeValue } from '../storage/value.ts'
import type { EntityOperators } from '../events.ts'
import type {
  AttemptContext,
  PersistableEntity,
  PersistenceMetadata,
  PersistenceStrategy,
  PersistReceipt,
  Reconciliation,
} from '../types.ts'
import { answer } from './answer.ts'
import type { Deadlines } from './deadlines.ts'

export interface AttemptConfig {
  owner: string
  deadlines: Deadlines
  metadataOf: (entry: Entry) => PersistenceMetadata
  saveProgress: (entry: Entry, value: unknown) => Promise<void>
  operatorOf: (entityType: string) => EntityOperators<unknown>['attempt']
}

/** One call of a strategy: its last value at completion, or its error; an answer that comes too late is ignored. */
export interface Attempts {
  persist: (entry: Entry, strategy: PersistenceStrategy<unknown>) => Observable<PersistReceipt | void>
  reconcile: (entry: Entry, strategy: PersistenceStrategy<unknown>) => Observable<Reconciliation<unknown>>
}

export function createAttempts(config: AttemptConfig): Attempts {
  const { owner, deadlines } = config

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

  function call(
    entry: Entry,
    strategy: PersistenceStrategy<unknown>,
    context: AttemptContext,
  ): ObservableInput<PersistReceipt | void> {
    const { entityId, entityType } = entry.lane
    // A strategy that is not asynchronous at all may return nothing.
    switch (entry.operation) {
      case 'create':
        return strategy.persistCreate(entityOf(entry), context) ?? []
      case 'update':
        return strategy.persistUpdate(entityOf(entry), context) ?? []
      case 'delete':
        return strategy.persistDelete(entityId, entityType, context) ?? []
    }
  }

  return {
    persist(entry, strategy) {
      const own = config.operatorOf(entry.lane.entityType)
      return answer((signal) => {
        const attempt = () => call(entry, strategy, contextOf(entry, signal))
        return own ? defer(attempt).pipe(own) : attempt()
      }, deadlines)
    },
    reconcile: (entry, strategy) =>
      answer(
        (signal) => strategy.reconcile?.(entityOf(entry), contextOf(entry, signal)) ?? of('unknown' as const),
        deadlines,
      ).pipe(
        map((said) => {
          if (said === undefined) throw new TypeError('reconcile() completed without a value.')
          return said
        }),
      ),
  }
}

/** Only what has the right type is believed of a receipt. */
export function believable(receipt: PersistReceipt | void): PersistReceipt {
  if (typeof receipt !== 'object' || receipt === null) return {}
  try {
    return checked(receipt)
  } catch {
    // It was accepted all the same: only what was said of it cannot be read.
    return {}
  }
}

function checked(receipt: PersistReceipt): PersistReceipt {
  const { backendId, version, syncedAt, data } = receipt
  const kept: PersistReceipt = {}
  if (typeof backendId === 'string') kept.backendId = backendId
  if (typeof version === 'string' || (typeof version === 'number' && Number.isFinite(version))) kept.version = version
  if (typeof syncedAt === 'number' && Number.isFinite(syncedAt)) kept.syncedAt = syncedAt
  if (data !== undefined) kept.data = data
  return kept
}
