import type { Observable } from 'rxjs'
import { getCurrentScope, onScopeDispose, shallowReadonly, shallowRef, type ShallowRef } from 'vue'
import { onServer } from './browserWindow.ts'

export interface ToShallowRefOptions {
  /** Told once if the stream errors; the ref keeps its last value. @default nobody is told */
  onError?: (error: unknown) => void
}

/**
 * The last value of a stream as a readonly shallow ref, for as long as the scope lives; on a server it stays `initial`.
 * @throws Error outside a component's setup, a store or an effect scope, where nothing would ever unsubscribe
 * @example const online = toShallowRef(persistence.status$.pipe(map(({ online }) => online)), true)
 */
export function toShallowRef<T>(
  observable$: Observable<T>,
  initial: T,
  { onError = ignored }: ToShallowRefOptions = {},
): Readonly<ShallowRef<T>> {
  if (!getCurrentScope()) {
    throw new Error(
      'toShallowRef() has no scope to end with. Call it in setup(), in a store or in effectScope().run().',
    )
  }
  const value = shallowRef(initial)
  if (!onServer()) {
    const subscription = observable$.subscribe({
      next: (latest) => {
        value.value = latest
      },
      // Without a handler RxJS would throw the error into the void, as an uncaught one.
      error: onError,
    })
    onScopeDispose(() => {
      subscription.unsubscribe()
    })
  }
  return shallowReadonly(value)
}

function ignored(): void {}
