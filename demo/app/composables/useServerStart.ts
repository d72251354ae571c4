import { catchError, defer, EMPTY, from, of, repeat, switchMap, takeWhile, tap } from 'rxjs'
import { onScopeDispose, shallowRef } from 'vue'
import { readHealth, type Health } from '../api.ts'
import { connected$, serverStarting$ } from '../connection.ts'

/** How far the server's start is, asked while it is not ready; `undefined` while it does not answer. */
export function useServerStart(onReady: () => void) {
  const health = shallowRef<Health>()

  const ask$ = defer(() => from(readHealth()).pipe(catchError(() => of(undefined))))
  const asking = connected$
    .pipe(
      switchMap((connected) => (connected ? ask$.pipe(repeat({ delay: 500 })) : EMPTY)),
      tap((latest) => {
        health.value = latest
        serverStarting$.next(latest?.ready === false)
        if (latest?.ready) onReady()
      }),
      takeWhile((latest) => !latest?.ready),
    )
    .subscribe()
  onScopeDispose(() => asking.unsubscribe())
  return health
}
