import { concatWith, map, type Observable, retry, Subject, throwError, timer } from 'rxjs'
import { webSocket, type WebSocketSubject } from 'rxjs/webSocket'
import { socketUrl } from '../crdt/socketUrl.ts'
import type { Signalling } from './signalling.ts'

/** What a relay of topics and its clients say to each other, as JSON. */
type Said = { subscribe: string } | { unsubscribe: string } | { topic: string; text: string }

/** Milliseconds before a lost relay is called again, doubled each time. */
const firstPause = 500
const longestPause = 30_000

/**
 * Signalling over a relay that passes what is published under a topic on to all others that subscribed to it. It takes
 * `{"subscribe":topic}`, `{"unsubscribe":topic}` and `{"topic":…,"text":…}` and sends the last. When it is lost it is
 * called again; devices that are connected already do not need it.
 *
 * @example p2pStrategy<Note>({ room: 'notes', password, signalling: webSocketSignalling('/signal'), storage })
 */
export function webSocketSignalling(url: string): Signalling {
  const errors$ = new Subject<unknown>()
  /** The last text under each topic that was published while there was no relay. */
  const unsaid = new Map<string, string>()
  let isOpen = false
  let socket: WebSocketSubject<Said> | undefined

  const open = () =>
    (socket ??= webSocket<Said>({
      url: socketUrl(url),
      openObserver: {
        next() {
          isOpen = true
          for (const [topic, text] of unsaid) socket?.next({ topic, text })
          unsaid.clear()
        },
      },
      closeObserver: {
        next({ wasClean, code }) {
          isOpen = false
          if (!wasClean) errors$.next(new Error(`The relay ${url} was lost (${code})`))
        },
      },
    }))

  const listen = (topic: string): Observable<string> =>
    open()
      .multiplex(
        () => ({ subscribe: topic }),
        () => ({ unsubscribe: topic }),
        (said) => 'text' in said && said.topic === topic,
      )
      .pipe(
        // A relay that ends in good order is as lost as another one.
        concatWith(throwError(() => new Error('The relay hung up'))),
        retry({
          delay: (_, count) => timer(Math.min(firstPause * 2 ** (count - 1), longestPause)),
          resetOnSuccess: true,
        }),
        map((said) => ('text' in said ? said.text : '')),
      )

  return {
    publish(topic, text) {
      if (isOpen) socket?.next({ topic, text })
      else unsaid.set(topic, text)
    },
    messages: listen,
    errors$,
  }
}
