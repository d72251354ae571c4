import type { Observable } from 'rxjs'
import type { ReportTrouble } from './trouble.ts'

/**
 * How devices reach each other. Subscribing enters the room, unsubscribing leaves it; each peer in it comes as a link.
 * What goes wrong on the way (nobody can be reached, a wrong password) is told to `report`; an error means that there
 * is no room at all.
 */
export type PeerTransport = (report: ReportTrouble) => Observable<PeerLink>

/** The connection with one peer: whole messages, in order, until one of the two is gone. */
export interface PeerLink {
  /** Names the peer in this room: given by the transport, never by what the peer says. */
  peer: string
  /** What the peer sends; to be subscribed to as the link comes; completes when the peer is gone. */
  messages$: Observable<Uint8Array>
  /** Never throws: what cannot be delivered any more is dropped. */
  send: (message: Uint8Array) => void
  /** Ends the connection. */
  close: () => void
}
