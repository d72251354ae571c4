import { concat, EMPTY, from, ignoreElements, type Observable, of, switchMap } from 'rxjs'
import type { PersistReceipt, Reconciliation } from '../types.ts'

export interface Reconciling {
  /** Resolves when it may be sent as if for the first time. */
  renew: () => Promise<void>
  persist$: Observable<PersistReceipt | void>
  /** Nobody knows. */
  unknown: () => void
}

/** Sends only what the remote says was not applied. */
export function afterReconciling(
  answer$: Observable<Reconciliation<unknown>>,
  { renew, persist$, unknown }: Reconciling,
): Observable<PersistReceipt | void> {
  return answer$.pipe(
    switchMap((answer) => {
      if (answer === 'unknown') {
        unknown()
        return EMPTY
      }
      if (!answer.applied) return concat(from(renew()).pipe(ignoreElements()), persist$)
      return of(answer.receipt ?? {})
    }),
  )
}
