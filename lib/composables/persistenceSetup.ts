import type { EventBus, Options, Strategies } from '../api.ts'
import type { EntityMap } from '../events.ts'

/** What createPersistence() takes. */
export interface PersistenceSetup<E extends EntityMap> {
  strategies: Strategies<E>
  options?: { bus?: EventBus<E> } & Options<NoInfer<E>>
}

/** Takes a bare map of strategies for `{ strategies }`; an entity type may be called `strategies` as well. */
export function toPersistenceSetup<E extends EntityMap>(
  given: PersistenceSetup<E> | Strategies<E>,
): PersistenceSetup<E> {
  return isSetup(given) ? given : { strategies: given }
}

function isSetup<E extends EntityMap>(given: PersistenceSetup<E> | Strategies<E>): given is PersistenceSetup<E> {
  if (!Object.hasOwn(given, 'strategies')) return false
  const strategies: unknown = Reflect.get(given, 'strategies')
  return (
    typeof strategies !== 'object' ||
    strategies === null ||
    typeof Reflect.get(strategies, 'persistCreate') !== 'function'
  )
}
