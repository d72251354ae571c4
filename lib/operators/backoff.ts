import { asyncScheduler, type MonoTypeOperatorFunction, retry, type SchedulerLike, throwError } from 'rxjs'
import { isPermanentError } from '../errors.ts'
import type { RetryConfig } from '../types.ts'
import { longTimer } from './longTimer.ts'
import { nextDelay } from './nextDelay.ts'

/**
 * Resubscribes to the source after growing delays (see `nextDelay`); `PermanentError`, and the error after
 * `maxRetries`, go through. For streams of your own: the outbox retries its tasks by itself, durably.
 *
 * @example prices$.pipe(backoff({ initialDelay: 1_000, maxRetries: 5 }))
 */
export function backoff<T>(
  config: Partial<RetryConfig> & { jitter?: number; random?: () => number; scheduler?: SchedulerLike } = {},
): MonoTypeOperatorFunction<T> {
  const { maxRetries = 3, initialDelay = 180_000, multiplier = 4, maxDelay = 3_600_000 } = config
  const { jitter = 0, random = () => 0, scheduler = asyncScheduler } = config
  return retry({
    count: maxRetries,
    delay: (error, retryCount) =>
      isPermanentError(error)
        ? throwError(() => error)
        : longTimer(
            nextDelay(retryCount, { maxRetries, initialDelay, multiplier, maxDelay }, jitter, random),
            scheduler,
          ),
  })
}
