import type { PeerLink } from '../../../strategies/p2p/transport.ts'
import { decodeMessage, encodeMessage, type Message } from '../../../strategies/p2p/message.ts'
import type { PeerNetwork } from './peerNetwork.ts'

/** A peer that says what it likes. */
export interface Liar {
  /** What was said to it, by all. */
  heard: Message[]
  say: (message: Message) => void
  sayBytes: (bytes: Uint8Array) => void
  isConnected: () => boolean
  /** Leaves, and comes again. */
  comeAgain: () => void
}

export function liarIn(network: PeerNetwork, name = 'liar'): Liar {
  const links = new Set<PeerLink>()
  const heard: Message[] = []
  const enter = () =>
    network
      .transport(name)(() => undefined)
      .subscribe((link) => {
        links.add(link)
        link.messages$.subscribe({
          next: (bytes) => heard.push(decodeMessage(bytes)),
          complete: () => links.delete(link),
        })
      })
  let presence = enter()
  const sayBytes = (bytes: Uint8Array) => {
    for (const link of links) link.send(bytes)
  }
  return {
    heard,
    sayBytes,
    say: (message) => sayBytes(encodeMessage(message)),
    isConnected: () => links.size > 0,
    comeAgain() {
      presence.unsubscribe()
      presence = enter()
    },
  }
}
