import type { EventBus, Persistence } from '../api.ts'
import { createPersistence } from '../persistence.ts'
import type { EntityMap } from '../events.ts'
import { onServer } from './browserWindow.ts'
import { inertPersistence } from './inertPersistence.ts'
import type { PersistenceSetup } from './persistenceSetup.ts'

/** The real one in a browser, one that does nothing on a server; on `bus` where the setup names none. */
export function openPersistence<E extends EntityMap>(
  { strategies, options }: PersistenceSetup<E>,
  bus?: EventBus<E>,
): Persistence<E> {
  const onBus = { ...(bus && { bus }), ...options }
  return onServer() ? inertPersistence<E>(onBus.bus) : createPersistence<E>({ strategies, options: onBus })
}
