import { from, lastValueFrom, type ObservableInput } from 'rxjs'
import { isPersistenceError } from '../errors.ts'
import type {
  AttemptContext,
  ErrorCategory,
  Operation,
  PersistableEntity,
  PersistenceStrategy,
  PersistReceipt,
} from '../types.ts'

/** What a remote does with the next request. */
export type RemoteFailure = 'unreachable' | 'silent' | 'answer-lost' | 'failing' | 'refusing' | 'unauthorized'

export interface StrategyUnderTest<T> {
  strategy: PersistenceStrategy<T>
  /** Two states of the entity 'contract-1': as it is created, and as it is changed to. */
  states: readonly [T, T]
  /** The writes that had an effect at the remote, oldest first. */
  applied: () => readonly Operation[] | Promise<readonly Operation[]>
  failNext: (failure: RemoteFailure) => void | Promise<void>
}

/** A strategy and its remote, as the checks of `strategyContract` speak of them. */
export function strategyTrial<T>({ strategy, states, applied, failNext }: StrategyUnderTest<T>) {
  const entity = (data: T): PersistableEntity<T> => ({
    id: 'contract-1',
    entityType: 'contract',
    data,
    metadata: { syncStatus: 'syncing', retryCount: 0, maxRetries: 3 },
  })
  const progress = new Map<string, unknown>()
  const write = (operation: Operation, parts: Partial<AttemptContext> = {}): Promise<PersistReceipt<T>> => {
    // Kept from attempt to attempt, as the outbox keeps it.
    const saveProgress = async (value: unknown) => void progress.set(operation, value)
    const attempt = attemptWith({
      idempotencyKey: operation,
      progress: progress.get(operation),
      saveProgress,
      ...parts,
    })
    if (operation === 'create') return settled(strategy.persistCreate(entity(states[0]), attempt))
    if (operation === 'update') return settled(strategy.persistUpdate(entity(states[1]), attempt))
    return settled(strategy.persistDelete('contract-1', 'contract', attempt))
  }
  return {
    failNext,
    write,
    /** Whether the create was applied, as far as the strategy can tell. */
    async reconcile(parts: Partial<AttemptContext>) {
      const found = strategy.reconcile?.(entity(states[0]), attemptWith({ idempotencyKey: 'create', ...parts }))
      return found ? lastValueFrom(from(found)) : 'unknown'
    },
    async hasApplied(...expected: Operation[]) {
      const found = await applied()
      if (found.join() !== expected.join()) throw new Error(`Applied [${found.join()}] instead of [${expected.join()}]`)
    },
    rejection,
    async isRefused(attempt: Promise<unknown>, category: ErrorCategory) {
      const cause = await rejection(attempt)
      if (!isPersistenceError(cause)) throw new Error('What was thrown is no PersistenceError', { cause })
      if (cause.category !== category) throw new Error(`The category is ${cause.category}, not ${category}`, { cause })
    },
  }
}

function rejection(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => Promise.reject(new Error('There was a receipt instead of an error')),
    (error: unknown) => error,
  )
}

/** The last value at completion, as the outbox takes it. */
async function settled<T>(given: ObservableInput<PersistReceipt<T> | void>): Promise<PersistReceipt<T>> {
  return (await lastValueFrom(from(given), { defaultValue: undefined })) ?? {}
}

function attemptWith(parts: Partial<AttemptContext>): AttemptContext {
  return {
    taskId: 'task-1',
    idempotencyKey: 'key-1',
    attempt: 1,
    owner: 'contract',
    schemaVersion: 1,
    signal: new AbortController().signal,
    backendIdOf: () => undefined,
    progress: undefined,
    saveProgress: () => Promise.resolve(),
    ...parts,
  }
}
