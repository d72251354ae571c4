import { concatMap, filter, map, type MonoTypeOperatorFunction, type Observable, take } from 'rxjs'

/**
 * Holds every value back, in order, until `online$` says true. `online$` has to replay its current value.
 *
 * @example saves$.pipe(whenOnline(online$))
 * // online$  f---t---
 * // source   -a-b----
 * // result   ----(ab)
 */
export function whenOnline<T>(online$: Observable<boolean>): MonoTypeOperatorFunction<T> {
  return concatMap((value: T) =>
    online$.pipe(
      filter((online) => online),
      take(1),
      map(() => value),
    ),
  )
}
