import type {
  AttemptContext,
  Operation,
  PersistableEntity,
  PersistenceStrategy,
  PersistReceipt,
  PullPage,
  PullRequest,
  Reconciliation,
  RemoteChange,
} from 'rx-outbox'
import { map, merge, type Observable } from 'rxjs'
import { reconcileEach } from './confirm.ts'
import type { Call, Leg } from './legs.ts'
import { pullInTurn } from './pull.ts'
import { told } from './told.ts'

/** A write of which somebody has to say who gets it. */
export interface RouteQuestion<T> {
  operation: Operation
  entityType: string
  id: string
  /** Of a delete there is none. */
  data?: T
  attempt: AttemptContext
}

export interface Combination<T> {
  legs: readonly Leg<T>[]
  /** How many have to confirm. */
  need: number
  /** Those that are read, in this order. */
  readers: readonly Leg<T>[]
  write: (call: Call<T>, attempt: AttemptContext, question: RouteQuestion<T>) => Promise<PersistReceipt<T>>
  /** @default pages of one after the other */
  pull?: (request: PullRequest) => Promise<PullPage<T>>
}

/** One strategy made of several. */
export function strategyOf<T>(combination: Combination<T>): PersistenceStrategy<T> {
  const { legs, need, readers, write } = combination
  const pullers = readers.filter(({ strategy }) => strategy.pull)
  const { pull = (request: PullRequest) => pullInTurn(pullers, request) } = combination
  const live = readers.flatMap((leg) => changesOf(leg) ?? [])
  const coalesce = legs.find(({ counts }) => counts)?.strategy.coalesce
  const merges = legs.every(({ counts, strategy }) => !counts || strategy.merges)
  const keyWindow = Math.min(...legs.map(({ strategy }) => windowOf(strategy)))

  const stated =
    (operation: 'create' | 'update', member: 'persistCreate' | 'persistUpdate') =>
    (entity: PersistableEntity<T>, attempt: AttemptContext) => {
      const { id, entityType, data } = entity
      // Each leg may keep and change what it gets.
      const call: Call<T> = (strategy, own) => strategy[member](structuredClone(entity), own)
      return write(call, attempt, { operation, entityType, id, data, attempt })
    }

  return {
    persistCreate: stated('create', 'persistCreate'),
    persistUpdate: stated('update', 'persistUpdate'),
    persistDelete(id, entityType, attempt) {
      const call: Call<T> = (strategy, own) => strategy.persistDelete(id, entityType, own)
      return write(call, attempt, { operation: 'delete', entityType, id, attempt })
    },
    keyWindow,
    ...(keyWindow < Infinity && {
      reconcile: (entity: PersistableEntity<T>, attempt: AttemptContext) =>
        reconcileEach({ legs, need }, (leg, own) => reconcileOne(leg.strategy, entity, own), attempt),
    }),
    ...(merges && { merges }),
    ...(coalesce && { coalesce: (older, newer) => coalesce(older, newer) }),
    ...(pullers.length > 0 && { pull }),
    ...(live.length > 0 && { changes$: merge(...live) }),
  }
}

function windowOf<T>({ keyWindow = Infinity }: PersistenceStrategy<T>): number {
  return keyWindow
}

/** A remote that never forgets a key may get the task once more, whatever became of it. */
async function reconcileOne<T>(
  strategy: PersistenceStrategy<T>,
  entity: PersistableEntity<T>,
  attempt: AttemptContext,
): Promise<Reconciliation<T>> {
  const said = await told(() => strategy.reconcile?.(structuredClone(entity), attempt) ?? [], attempt.signal)
  if (said !== undefined && said !== 'unknown') return said
  return windowOf(strategy) === Infinity ? { applied: false } : 'unknown'
}

/** Versions of a leg that does not count say nothing to the others. */
function changesOf<T>({ strategy, counts }: Leg<T>): Observable<RemoteChange<T>> | undefined {
  if (counts) return strategy.changes$
  return strategy.changes$?.pipe(
    map((change) => {
      if (!('data' in change)) return change
      const { version: _, ...rest } = change
      return rest
    }),
  )
}
