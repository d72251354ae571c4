import type { Persistence } from '../api.ts'
import { createPersistence } from '../persistence.ts'
import type { EntityMap } from '../types.ts'
import { onServer } from './browserWindow.ts'
import { inertPersistence } from './inertPersistence.ts'
import type { PersistenceSetup } from './persistenceSetup.ts'

/** The real one in a browser, one that does nothing on a server. */
export function openPersistence<E extends EntityMap>(setup: PersistenceSetup<E>): Persistence<E> {
  return onServer() ? inertPersistence<E>(setup.options?.bus) : createPersistence<E>(setup)
}
