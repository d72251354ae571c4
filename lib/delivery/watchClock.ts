import type { SchedulerLike } from 'rxjs'

/** Says whether the clock was set back since it was last asked: times of before are too far away then. */
export function watchClock(scheduler: SchedulerLike): () => boolean {
  let latest = scheduler.now()
  return () => {
    const before = latest
    latest = scheduler.now()
    return latest < before
  }
}
