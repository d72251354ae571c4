import { setImmediate } from 'node:timers'
import { Observable, Subject, type Subscriber } from 'rxjs'
import type { PeerLink, PeerTransport } from '../../../strategies/p2p/transport.ts'

/** One direction between two peers: in order, and lost as a whole when the link is cut. */
export interface Wire {
  from: string
  to: string
  waiting: Uint8Array[]
  deliver: () => void
}

/** A room in memory. Whoever subscribes to a transport is in it, and linked with all others that are not cut off. */
export interface PeerNetwork {
  /** The peer's way into the room. */
  transport: (name: string) => PeerTransport
  /** No link between the two any more, until `heal`; what is on the way is lost. */
  cut: (a: string, b: string) => void
  heal: (a: string, b: string) => void
  /** What waits to be delivered, where `deliver` was given `'by hand'`. */
  wires: () => Wire[]
}

interface Member {
  links: Map<string, () => void>
  subscriber: Subscriber<PeerLink>
}

/** `delivery` has each message delivered; by hand it is not. */
export function peerNetwork(delivery: ((deliver: () => void) => void) | 'by hand' = setImmediate): PeerNetwork {
  const members = new Map<string, Member>()
  const apart = new Set<string>()
  const wires = new Set<Wire>()
  const pair = (a: string, b: string) => [a, b].sort().join(' ')

  function wireOf(from: string, to: string, messages$: Subject<Uint8Array>): Wire {
    const wire: Wire = {
      from,
      to,
      waiting: [],
      deliver() {
        const message = wire.waiting.shift()
        if (message) messages$.next(message)
      },
    }
    wires.add(wire)
    return wire
  }

  function link(a: string, b: string): void {
    const [one, other] = [members.get(a), members.get(b)]
    if (!one || !other || one.links.has(b) || apart.has(pair(a, b))) return
    const [toA, toB] = [new Subject<Uint8Array>(), new Subject<Uint8Array>()]
    const [fromA, fromB] = [wireOf(a, b, toB), wireOf(b, a, toA)]
    const close = () => {
      one.links.delete(b)
      other.links.delete(a)
      for (const wire of [fromA, fromB]) {
        wire.waiting = []
        wires.delete(wire)
      }
      toA.complete()
      toB.complete()
    }
    const send = (wire: Wire) => (message: Uint8Array) => {
      if (!wires.has(wire)) return
      wire.waiting.push(message.slice())
      if (delivery !== 'by hand') delivery(wire.deliver)
    }
    one.links.set(b, close)
    other.links.set(a, close)
    one.subscriber.next({ peer: b, messages$: toA, send: send(fromA), close })
    other.subscriber.next({ peer: a, messages$: toB, send: send(fromB), close })
  }

  return {
    transport: (name) => () =>
      new Observable((subscriber) => {
        const member = { links: new Map<string, () => void>(), subscriber }
        members.set(name, member)
        for (const other of members.keys()) if (other !== name) link(name, other)
        return () => {
          members.delete(name)
          for (const close of member.links.values()) close()
        }
      }),
    cut(a, b) {
      apart.add(pair(a, b))
      members.get(a)?.links.get(b)?.()
    },
    heal(a, b) {
      apart.delete(pair(a, b))
      link(a, b)
    },
    wires: () => [...wires].filter(({ waiting }) => waiting.length > 0),
  }
}
