import { filter, map, Observable, share } from 'rxjs'
import type { Signalling } from './signalling.ts'

/**
 * Signalling between tabs of one browser and origin: no server at all.
 *
 * @example p2pStrategy<Note>({ room: 'notes', password, signalling: broadcastChannelSignalling(), storage })
 */
export function broadcastChannelSignalling(name = 'rx-outbox/signalling'): Signalling {
  let open: BroadcastChannel | undefined
  const said$ = new Observable<unknown>((subscriber) => {
    const channel = new BroadcastChannel(name)
    open = channel
    channel.onmessage = ({ data }) => subscriber.next(data)
    return () => {
      open = undefined
      channel.close()
    }
  }).pipe(share())
  return {
    publish: (topic, text) => open?.postMessage([topic, text]),
    messages: (topic) =>
      said$.pipe(
        filter((said): said is [string, string] => Array.isArray(said) && said[0] === topic),
        map(([, text]) => text),
        filter((text) => typeof text === 'string'),
      ),
  }
}
