import { TimeoutError } from 'rx-outbox'
import { defer, lastValueFrom, NEVER, Observable, type ObservableInput, takeUntil, timer } from 'rxjs'

/** The last value of a call at its completion. Once `signal` is aborted it rejects with its reason, whatever the leg does. */
export function told<R>(call: () => ObservableInput<R>, signal: AbortSignal): Promise<R | undefined> {
  // A strategy that is not asynchronous at all may return nothing.
  const answer$ = defer(() => call() ?? [])
  return lastValueFrom(answer$.pipe(takeUntil(aborted(signal))), { defaultValue: undefined })
}

function aborted(signal: AbortSignal): Observable<never> {
  return new Observable((subscriber) => {
    const abort = () => subscriber.error(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort)
    return () => signal.removeEventListener('abort', abort)
  })
}

/** A controller that is also aborted with `signal`, until it is released. */
export function linked(signal: AbortSignal): { controller: AbortController; release: () => void } {
  const controller = new AbortController()
  const abort = () => controller.abort(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  return { controller, release: () => signal.removeEventListener('abort', abort) }
}

/** As `told`; after `ms` the call is aborted, and rejects with a `TimeoutError`. */
export async function within<R>(
  ms: number,
  name: string,
  signal: AbortSignal,
  call: (signal: AbortSignal) => ObservableInput<R>,
): Promise<R | undefined> {
  const { controller, release } = linked(signal)
  const late = (ms === Infinity ? NEVER : timer(ms)).subscribe(() =>
    controller.abort(new TimeoutError(`${name} did not answer within ${ms} ms.`)),
  )
  return told(() => call(controller.signal), controller.signal).finally(() => {
    late.unsubscribe()
    release()
  })
}
