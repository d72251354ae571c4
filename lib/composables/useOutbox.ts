import { computed, type ComputedRef, type ShallowRef } from 'vue'
import type { Persistence } from '../api.ts'
import type { Conflict } from '../conflict.ts'
import type { OutboxStatus, PersistenceTask } from '../types.ts'
import { openingStatus } from '../status.ts'
import { injectPersistence } from './persistenceSlot.ts'
import { toLazyRef } from './toLazyRef.ts'
import { toShallowRef } from './toShallowRef.ts'
import { unsentOf } from './unsentOf.ts'

type Commands = 'pause' | 'resume' | 'flush' | 'retry' | 'discard' | 'resolve' | 'retryAll' | 'discardAll'

export interface UseOutboxReturn extends Pick<Persistence<Record<string, unknown>>, Commands> {
  status: Readonly<ShallowRef<OutboxStatus>>
  /** Waiting and in-flight tasks in delivery order; watched from its first read on. */
  queue: ComputedRef<readonly PersistenceTask[]>
  /** The dead letters; watched from its first read on. */
  dead: ComputedRef<readonly PersistenceTask[]>
  /** The conflicts that wait for `resolve`; watched from its first read on. */
  conflicts: ComputedRef<readonly Conflict[]>
  /** Tasks that could go now. */
  pending: ComputedRef<number>
  /** Tasks in flight. */
  processing: ComputedRef<number>
  /** Tasks that wait for a retry, quiet, a dependency, their lane, the network, `resume()` or `authorized()`. */
  waiting: ComputedRef<number>
  /** Tasks that wait for a decision. */
  parked: ComputedRef<number>
  /** All of these together: what is not at the backend yet. */
  unsent: ComputedRef<number>
}

/**
 * The outbox as refs, and the commands on it: what a badge or a panel needs.
 * @throws Error outside setup and stores, and where no Persistence was provided
 * @example const { unsent, dead, retryAll } = useOutbox()
 */
export function useOutbox(): UseOutboxReturn {
  const persistence = injectPersistence()
  const { pause, resume, flush, retry, discard, resolve, retryAll, discardAll } = persistence
  const status = toShallowRef(persistence.status$, openingStatus)
  return {
    status,
    queue: toLazyRef(persistence.queue$, []),
    dead: toLazyRef(persistence.dead$, []),
    conflicts: toLazyRef<readonly Conflict[]>(persistence.conflicts$, []),
    pending: computed(() => status.value.pending),
    processing: computed(() => status.value.processing),
    waiting: computed(() => status.value.waiting),
    parked: computed(() => status.value.parked),
    unsent: computed(() => unsentOf(status.value)),
    pause,
    resume,
    flush,
    retry,
    discard,
    resolve,
    retryAll,
    discardAll,
  }
}
