import { Observable, startWith, switchMap } from 'rxjs'
import { computed, toValue, watch, type ComputedRef, type MaybeRefOrGetter, type ShallowRef } from 'vue'
import type { EntityMap, EntityType } from '../events.ts'
import type { PersistenceMetadata, TaskError } from '../types.ts'
import { injectPersistence } from './persistenceSlot.ts'
import { toShallowRef } from './toShallowRef.ts'

export interface UseSyncStatusReturn {
  /** `undefined` for an entity that the outbox has never seen, and before it is known. */
  metadata: Readonly<ShallowRef<PersistenceMetadata | undefined>>
  syncStatus: ComputedRef<PersistenceMetadata['syncStatus'] | undefined>
  isSynced: ComputedRef<boolean>
  isSyncing: ComputedRef<boolean>
  /** Something waits, also between retries. */
  isPending: ComputedRef<boolean>
  hasConflict: ComputedRef<boolean>
  hasError: ComputedRef<boolean>
  /** What the last attempt failed of. */
  error: ComputedRef<TaskError | undefined>
}

/**
 * How far one entity has got, as refs that follow its id; the entity map is the type argument, else any type is taken.
 * @throws Error outside setup and stores, and where no Persistence was provided
 * @example const { syncStatus, isSynced } = useSyncStatus('note', () => props.note.id)
 */
export function useSyncStatus<E extends EntityMap = Record<string, unknown>>(
  entityType: EntityType<E>,
  id: MaybeRefOrGetter<string>,
): UseSyncStatusReturn {
  const { metadata$ } = injectPersistence<E>()
  const id$ = new Observable<string>((subscriber) =>
    // In step, so that nobody reads the status of the entity before.
    watch(
      () => toValue(id),
      (latest) => {
        subscriber.next(latest)
      },
      { immediate: true, flush: 'sync' },
    ),
  )
  const metadata = toShallowRef<PersistenceMetadata | undefined>(
    id$.pipe(switchMap((latest) => metadata$(entityType, latest).pipe(startWith(undefined)))),
    undefined,
  )
  const is = (status: PersistenceMetadata['syncStatus']) => computed(() => metadata.value?.syncStatus === status)
  return {
    metadata,
    syncStatus: computed(() => metadata.value?.syncStatus),
    isSynced: is('synced'),
    isSyncing: is('syncing'),
    isPending: is('pending'),
    hasConflict: is('conflict'),
    hasError: is('error'),
    error: computed(() => metadata.value?.error),
  }
}
