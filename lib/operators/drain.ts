import { from, Observable, type ObservableInput, type OperatorFunction, type Subscription, takeWhile } from 'rxjs'

/** Where values wait: the outbox is one, `concatMapByLane` has a plain one in memory. */
export interface WaitingRoom<T> {
  /** Takes the next value that may go now. */
  take: () => T | undefined
  /** What was taken is through. */
  done: (value: T) => void
}

/**
 * Whenever the source emits, takes values out of a waiting room and runs `project` for each, `concurrency` at once. It
 * loops instead of recursing, so any number of inners may complete synchronously. Completes with its source, when
 * nothing is left to take; an error of an inner goes through.
 */
export function drain<T, R>(
  room: WaitingRoom<T>,
  project: (value: T) => ObservableInput<R>,
  concurrency: number,
): OperatorFunction<unknown, R> {
  return (source$) =>
    new Observable((subscriber) => {
      let active = 0
      let looping = false
      let sourceDone = false

      function loop(): void {
        // Whoever completes while the loop runs only frees a place: the loop goes on.
        if (looping) return
        looping = true
        while (active < concurrency && !subscriber.closed) {
          const value = room.take()
          if (value === undefined) break
          run(value)
        }
        looping = false
        if (sourceDone && active === 0) subscriber.complete()
      }

      function run(value: T): void {
        active++
        const held: { inner?: Subscription } = {}
        let ended = false
        // Who unsubscribes while an inner emits synchronously cannot reach it otherwise.
        const inner$ = projected(project, value).pipe(takeWhile(() => !subscriber.closed))
        held.inner = inner$.subscribe({
          next: (result) => subscriber.next(result),
          error: (error) => subscriber.error(error),
          complete: () => {
            ended = true
            if (held.inner) subscriber.remove(held.inner)
            active--
            room.done(value)
            loop()
          },
        })
        if (!ended) subscriber.add(held.inner)
      }

      subscriber.add(
        source$.subscribe({
          next: loop,
          error: (error) => subscriber.error(error),
          complete: () => {
            sourceDone = true
            loop()
          },
        }),
      )
    })
}

function projected<T, R>(project: (value: T) => ObservableInput<R>, value: T): Observable<R> {
  try {
    return from(project(value))
  } catch (error) {
    return new Observable((inner) => inner.error(error))
  }
}
