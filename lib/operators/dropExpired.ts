import { asyncScheduler, filter, type MonoTypeOperatorFunction, type SchedulerLike, tap } from 'rxjs'

/**
 * Lets only values through whose `expiresAt` (epoch ms) is not past on the scheduler's clock; `onExpired` is told of
 * the others, so that nothing vanishes.
 *
 * @example offers$.pipe(dropExpired({ onExpired: (offer) => late.push(offer) }))
 */
export function dropExpired<T extends { expiresAt?: number }>(
  config: { scheduler?: SchedulerLike; onExpired?: (value: T) => void } = {},
): MonoTypeOperatorFunction<T> {
  const { scheduler = asyncScheduler, onExpired } = config
  const isLive = ({ expiresAt }: T) => expiresAt === undefined || scheduler.now() < expiresAt
  return (source$) =>
    source$.pipe(
      tap((value) => {
        if (!isLive(value)) onExpired?.(value)
      }),
      filter(isLive),
    )
}
