import { from, Observable, type ObservableInput, Subscription } from 'rxjs'
import { TimeoutError } from '../errors.ts'
import type { Deadlines } from './deadlines.ts'

/**
 * What a call answers: its last value at completion (`undefined` for none), or its error, or a `TimeoutError`. The
 * signal is aborted when the answer is not awaited any longer; what comes then is ignored.
 */
export function answer<R>(
  call: (signal: AbortSignal) => ObservableInput<R>,
  deadlines: Deadlines,
): Observable<R | undefined> {
  return new Observable((subscriber) => {
    const controller = new AbortController()
    let last: R | undefined
    let isComplete = false
    const calling = new Subscription()
    const met = deadlines.start(() => {
      // The call is told before anything else takes its place, and whatever it says to that is too late.
      calling.unsubscribe()
      controller.abort()
      subscriber.error(new TimeoutError('The strategy did not answer in time.'))
    })
    subscriber.add(() => {
      met()
      // An error may be an operator's that has given up: what it wraps is to end too.
      if (!isComplete) controller.abort()
    })
    subscriber.add(calling)
    calling.add(
      called(call, controller.signal).subscribe({
        next: (value) => {
          last = value
        },
        error: (error) => subscriber.error(error),
        complete: () => {
          isComplete = true
          subscriber.next(last)
          subscriber.complete()
        },
      }),
    )
  })
}

function called<R>(call: (signal: AbortSignal) => ObservableInput<R>, signal: AbortSignal): Observable<R> {
  try {
    return from(call(signal))
  } catch (error) {
    return new Observable((subscriber) => subscriber.error(error))
  }
}
