import type { Observable } from 'rxjs'
import { computed, effectScope, type ComputedRef, type ShallowRef } from 'vue'
import { toShallowRef } from './toShallowRef.ts'

/**
 * As `toShallowRef`, but subscribes when somebody first reads it: for streams that cost something while they are watched.
 * @example const queue = toLazyRef(persistence.queue$, [])
 */
export function toLazyRef<T>(observable$: Observable<T>, initial: T): ComputedRef<T> {
  const scope = effectScope()
  let latest: Readonly<ShallowRef<T>> | undefined
  return computed(() => {
    if (scope.active) latest ??= scope.run(() => toShallowRef(observable$, initial))
    return latest ? latest.value : initial
  })
}
