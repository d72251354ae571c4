import { computed, onScopeDispose, watch, type ComputedRef } from 'vue'
import { browserWindow } from './browserWindow.ts'
import { openingStatus } from '../status.ts'
import { injectPersistence } from './persistenceSlot.ts'
import { toShallowRef } from './toShallowRef.ts'
import { unsentOf } from './unsentOf.ts'

export interface UseUnsentGuardOptions {
  /** Whose closing asks first. @default the page's window */
  window?: Pick<Window, 'addEventListener' | 'removeEventListener'> | undefined
}

export interface UseUnsentGuardReturn {
  /** Tasks that are not at the backend yet. */
  unsent: ComputedRef<number>
}

/**
 * Lets the browser ask before the page is left with changes that are only on this device.
 * @throws Error outside setup and stores, and where no Persistence was provided
 * @example const { unsent } = useUnsentGuard()
 */
export function useUnsentGuard({ window: page = browserWindow() }: UseUnsentGuardOptions = {}): UseUnsentGuardReturn {
  const status = toShallowRef(injectPersistence().status$, openingStatus)
  const unsent = computed(() => unsentOf(status.value))
  // One of its own each: listening twice with the same function, the first guard that ends would disarm the others.
  const ask = (event: BeforeUnloadEvent) => {
    event.preventDefault()
    // Chrome and Edge before 119 look only at this.
    event.returnValue = true
  }
  // A page with such a listener is kept out of the back/forward cache, so it is there only while there is something to lose.
  watch(
    () => unsent.value > 0,
    (guarded) => {
      if (guarded) page?.addEventListener('beforeunload', ask)
      else page?.removeEventListener('beforeunload', ask)
    },
    { immediate: true, flush: 'sync' },
  )
  onScopeDispose(() => page?.removeEventListener('beforeunload', ask))
  return { unsent }
}
