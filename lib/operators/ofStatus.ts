import { filter, type OperatorFunction } from 'rxjs'

/**
 * Narrows results to those of the given statuses.
 *
 * @example persistence.results$.pipe(ofStatus('persisted')).subscribe(({ receipt }) => show(receipt))
 */
export function ofStatus<R extends { status: string }, S extends R['status']>(
  ...statuses: S[]
): OperatorFunction<R, Extract<R, { status: S }>> {
  const isWanted = (result: R): result is Extract<R, { status: S }> =>
    statuses.some((status) => status === result.status)
  return filter(isWanted)
}
