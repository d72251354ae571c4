import type { Plugin } from 'vue'
import type { Strategies } from '../api.ts'
import type { EntityMap } from '../events.ts'
import { openPersistence } from './openPersistence.ts'
import { holdPersistence } from './persistenceSlot.ts'
import { toPersistenceSetup, type PersistenceSetup } from './persistenceSetup.ts'

/**
 * Opens the Persistence of an app before its root is set up, and closes it when the app is unmounted.
 * @throws Error while another one of the same app is alive
 * @example createApp(App).use(persistencePlugin({ strategies: { note: new NoteRestApiStrategy() } })).mount('#app')
 */
export function persistencePlugin<E extends EntityMap>(strategies: Strategies<E>): Plugin<[]>
export function persistencePlugin<E extends EntityMap>(setup: PersistenceSetup<E>): Plugin<[]>
export function persistencePlugin<E extends EntityMap>(given: PersistenceSetup<E> | Strategies<E>): Plugin<[]> {
  return {
    install(app) {
      const { release } = holdPersistence<E>(app, (bus) => openPersistence(toPersistenceSetup(given), bus))
      app.onUnmount(release)
    },
  }
}
