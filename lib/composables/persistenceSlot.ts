import { hasInjectionContext, inject, markRaw, type App } from 'vue'
import type { EventBus, Persistence } from '../api.ts'
import type { EntityMap } from '../events.ts'
import { onServer } from './browserWindow.ts'

/**
 * Where an app keeps its Persistence. The slot is provided once an app and filled anew by a hot reload: Vue warns of a
 * key that is provided twice.
 */
interface PersistenceSlot<E extends EntityMap> {
  current?: Persistence<E>
  /** Of the one before: stores outlive a hot reload and hold on to it. */
  bus?: EventBus<E>
  alive: boolean
}

const slotKey = Symbol('rx-outbox')

/** A Persistence that an app holds, and what takes it away again. */
export interface Held<E extends EntityMap> {
  persistence: Persistence<E>
  release: () => void
}

/**
 * Opens a Persistence for an app and makes it the one that everything of this app finds. `open` is told the bus that the
 * app had before, if any.
 * @throws Error while another one of the same app is alive
 */
export function holdPersistence<E extends EntityMap>(app: App, open: (bus?: EventBus<E>) => Persistence<E>): Held<E> {
  const slot = slotOf<E>(app)
  if (slot.alive) {
    throw new Error(
      'This Vue app has a Persistence already. Call usePersistence({ strategies }) once, in the root component, ' +
        'and usePersistence() without arguments everywhere else.',
    )
  }
  const opened = open(slot.bus)
  const persistence: Persistence<E> = markRaw({
    ...opened,
    close: () => {
      if (slot.current === persistence) slot.alive = false
      return opened.close()
    },
  })
  slot.current = persistence
  slot.bus = persistence.bus
  // A server renders an app without ever ending its scopes, perhaps twice; nothing is open there.
  slot.alive = !onServer()
  return {
    persistence,
    release: () => {
      void persistence.close()
      if (slot.current === persistence) slot.current = undefined
    },
  }
}

/**
 * The Persistence of the app that is being set up.
 * @throws Error outside setup and stores, and where no Persistence was provided
 */
export function injectPersistence<E extends EntityMap = Record<string, unknown>>(): Persistence<E> {
  if (!hasInjectionContext()) {
    throw new Error(
      'No Vue app is being set up here. Call usePersistence() in setup() or in a Pinia store, and keep what it returns.',
    )
  }
  const persistence = inject<PersistenceSlot<E> | undefined>(slotKey, undefined)?.current
  if (!persistence) {
    throw new Error(
      'This Vue app has no Persistence. Call usePersistence({ strategies }) in the root component, before any store or ' +
        'child asks for it, or app.use(persistencePlugin({ strategies })).',
    )
  }
  return persistence
}

function slotOf<E extends EntityMap>(app: App): PersistenceSlot<E> {
  const provided = app.runWithContext(() => inject<PersistenceSlot<E> | undefined>(slotKey, undefined))
  if (provided) return provided
  const slot: PersistenceSlot<E> = { alive: false }
  app.provide<PersistenceSlot<E>>(slotKey, slot)
  return slot
}
