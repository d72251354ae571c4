import { isPersistenceError, NetworkError } from 'rx-outbox'
import { concatMap, Observable, timeout } from 'rxjs'
import { eventParser } from './eventParser.ts'

/**
 * What a server says by Server-Sent Events, the data of each. By `fetch`, because an `EventSource` sends no
 * `Authorization`. Errors when the connection ends, or is silent for too long.
 */
export function liveEvents(
  connect: (signal: AbortSignal) => Promise<{ request: string; response: Response }>,
  { liveSilence, maxBytes }: { liveSilence: number; maxBytes: number },
): Observable<string> {
  const pieces$ = new Observable<string[]>((subscriber) => {
    const controller = new AbortController()
    subscriber.add(() => controller.abort())
    read(controller.signal).catch((error: unknown) => {
      subscriber.error(
        isPersistenceError(error) ? error : new NetworkError('The live events broke off', { cause: error }),
      )
    })

    async function read(signal: AbortSignal): Promise<never> {
      const { request, response } = await connect(signal)
      const parse = eventParser(request, maxBytes)
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { done = true, value = '' } = (await reader?.read()) ?? {}
        if (done) throw new NetworkError(`The events of ${request} ended`)
        subscriber.next(parse(value))
      }
    }
  })
  return pieces$.pipe(
    timeout({
      each: liveSilence,
      with: () => {
        throw new NetworkError(`The live events were silent for ${liveSilence} ms`)
      },
    }),
    concatMap((events) => events),
  )
}
