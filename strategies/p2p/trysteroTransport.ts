import { createTopicStrategy, type JoinError } from '@trystero-p2p/core'
import { PermanentError } from 'rx-outbox'
import { Observable, Subject } from 'rxjs'
import { messageLimit, type PeerLimits } from './limits.ts'
import type { Signalling } from './signalling.ts'
import type { PeerLink, PeerTransport } from './transport.ts'
import { watchedConnection } from './watchedConnection.ts'

export interface TrysteroOptions {
  room: string
  password: string
  signalling: Signalling
  rtcConfig: RTCConfiguration
  limits: PeerLimits
}

/** Names what meets: apps of other protocols under the same signalling do not. */
const appId = 'rx-outbox'
/** Milliseconds after which it is said again who is here. */
const announceEvery = 10_000
/** Bytes around each piece of a message, at most, and around a message. */
const [perPiece, pieceBytes, perMessage] = [128, 16_000, 1_024]

/** WebRTC in a room with a password, by trystero: everybody is connected with everybody. */
export function trysteroTransport({
  room: name,
  password,
  signalling,
  rtcConfig,
  limits,
}: TrysteroOptions): PeerTransport {
  return (report) =>
    new Observable<PeerLink>((subscriber) => {
      if (typeof RTCPeerConnection === 'undefined') {
        subscriber.error(new PermanentError('There is no WebRTC here'))
        return
      }
      // Without it trystero fails where nobody can catch it.
      if (typeof crypto.subtle === 'undefined') {
        subscriber.error(new PermanentError('There is no WebCrypto here; it takes a page of https, or localhost'))
        return
      }
      const links = new Map<string, Subject<Uint8Array>>()
      /** Bytes that came in and have not become a message yet. */
      const unread = new WeakMap<RTCPeerConnection, number>()
      let saidNone = false

      const rtcPolyfill = watchedConnection({
        gathered(candidates) {
          if (candidates > 0 || saidNone) return
          saidNone = true
          report({
            what: 'no-candidates',
            message:
              'The browser shows no address of this device, so that no peer can reach it: without a default route (a network without internet) it does so only with permission for microphone or camera',
          })
        },
        received(connection, bytes) {
          const waiting = (unread.get(connection) ?? 0) + bytes
          unread.set(connection, waiting)
          if (waiting <= messageLimit(limits) + limits.maxBacklog) return
          report({ what: 'flood', message: 'A peer sends what never becomes a message; it was disconnected' })
          connection.close()
        },
      })

      // One of our own for each room: what is shared between rooms would have to be guarded.
      const join = createTopicStrategy<Signalling>({
        steadyAnnounceIntervalMs: announceEvery,
        init: () => signalling,
        subscribeTopic(relay, topic, onMessage) {
          const listening = relay.messages(topic).subscribe((text) => void onMessage(topic, text))
          return () => listening.unsubscribe()
        },
        publishTopic(relay, topic, message) {
          relay.publish(topic, typeof message === 'string' ? message : JSON.stringify(message))
        },
      })
      const room = join({ appId, password, rtcConfig, rtcPolyfill }, name, {
        onJoinError: ({ error, peerId }: JoinError) =>
          report({ what: /password/.test(error) ? 'password' : 'unconnected', message: error, peer: peerId }),
      })
      const action = room.makeAction<Uint8Array<ArrayBuffer>>('outbox')

      action.onMessage = (bytes, { peerId }) => {
        const connection = room.getPeers()[peerId]
        const cost = bytes.length + Math.ceil(bytes.length / pieceBytes) * perPiece + perMessage
        if (connection) unread.set(connection, Math.max(0, (unread.get(connection) ?? 0) - cost))
        links.get(peerId)?.next(bytes)
      }
      room.onPeerJoin = (peer) => {
        const messages$ = new Subject<Uint8Array>()
        links.set(peer, messages$)
        let backlog = 0
        let last: Promise<unknown> = Promise.resolve()
        const close = () => {
          room.getPeers()[peer]?.close()
          leave(peer)
        }
        subscriber.next({
          peer,
          messages$,
          close,
          send(message) {
            backlog += message.length
            if (backlog > limits.maxBacklog) return close()
            // One after the other: each waits until the channel has room.
            last = last
              .then(() => (links.get(peer) === messages$ ? action.send(message.slice(), { target: peer }) : undefined))
              .catch(() => undefined)
              .finally(() => {
                backlog -= message.length
              })
          },
        })
      }
      function leave(peer: string): void {
        links.get(peer)?.complete()
        links.delete(peer)
      }
      room.onPeerLeave = leave

      const lost = signalling.errors$?.subscribe((cause) =>
        report({ what: 'signalling', message: 'New peers cannot be found for now', cause }),
      )
      return () => {
        lost?.unsubscribe()
        for (const peer of links.keys()) leave(peer)
        void room.leave().catch(() => undefined)
      }
    })
}
