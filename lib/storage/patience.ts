import type { SchedulerLike } from 'rxjs'
import { StorageError } from '../errors.ts'

/** Milliseconds after which a store that has not answered is told of. */
export const patience = 30_000

/**
 * Waits for a store as long as it takes: what it was asked may still happen. But says so when that is long.
 *
 * @param late is given a `StorageError`, at most once
 */
export async function patiently<T>(
  work: Promise<T>,
  scheduler: SchedulerLike,
  late: (error: StorageError) => void,
): Promise<T> {
  const timer = scheduler.schedule(
    () => late(new StorageError(`The store has not answered for ${patience} ms.`)),
    patience,
  )
  try {
    return await work
  } finally {
    timer.unsubscribe()
  }
}
