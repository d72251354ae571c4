import { getCurrentInstance, getCurrentScope, onScopeDispose } from 'vue'
import type { Persistence, Strategies } from '../api.ts'
import type { EntityMap } from '../events.ts'
import { openPersistence } from './openPersistence.ts'
import { holdPersistence, injectPersistence } from './persistenceSlot.ts'
import { toPersistenceSetup, type PersistenceSetup } from './persistenceSetup.ts'

/**
 * With arguments, once, in the root component: opens the app's Persistence, which ends with the calling scope. Without,
 * in any setup and in Pinia stores: finds it; the entity map is the type argument, else data is `unknown`.
 * @throws Error outside setup, while another one of the same app is alive, and where none was provided
 * @example
 * usePersistence({ strategies: { note: new NoteRestApiStrategy() } })   // App.vue
 * const { bus, results$ } = usePersistence<{ note: Note }>()            // anywhere below
 */
export function usePersistence<E extends EntityMap = Record<string, unknown>>(): Persistence<E>
export function usePersistence<E extends EntityMap>(strategies: Strategies<E>): Persistence<E>
export function usePersistence<E extends EntityMap>(setup: PersistenceSetup<E>): Persistence<E>
export function usePersistence<E extends EntityMap>(given?: PersistenceSetup<E> | Strategies<E>): Persistence<E> {
  if (given === undefined) return injectPersistence<E>()
  const instance = getCurrentInstance()
  if (!instance || !getCurrentScope()) {
    throw new Error(
      'usePersistence({ strategies }) opens a Persistence that ends with its component. Call it in the setup of the ' +
        'root component, before any await; outside components use app.use(persistencePlugin({ strategies })).',
    )
  }
  const { persistence, release } = holdPersistence<E>(instance.appContext.app, (bus) =>
    openPersistence(toPersistenceSetup(given), bus),
  )
  onScopeDispose(release)
  return persistence
}
