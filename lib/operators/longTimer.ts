import { asyncScheduler, defer, expand, filter, map, type Observable, of, type SchedulerLike, take, timer } from 'rxjs'

/** The longest delay of setTimeout: what is longer fires at once. */
export const longestTimer = 2 ** 31 - 1

/** Emits once after `ms` milliseconds, however many: in steps where one timer is too short. */
export function longTimer(ms: number, scheduler: SchedulerLike = asyncScheduler): Observable<0> {
  return defer(() => {
    const step = (left: number) => timer(Math.min(left, longestTimer), scheduler).pipe(map(() => left - longestTimer))
    return (
      ms > longestTimer
        ? of(ms).pipe(
            expand(step),
            filter((left) => left <= 0),
            take(1),
          )
        : timer(ms, scheduler)
    ).pipe(map((): 0 => 0))
  })
}
