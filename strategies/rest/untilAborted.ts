/** Does `work` until it ends or `signal` is aborted, then rejects with the signal's reason, whatever `work` still does. */
export function untilAborted<R>(signal: AbortSignal, work: () => Promise<R>): Promise<R> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason as unknown)
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort))
  })
}
