import { updateLimits, type UpdateLimits } from '../crdt/applyForeign.ts'

/** How much a peer may ask of this device. */
export interface PeerLimits extends UpdateLimits {
  /** Documents that peers may begin here. @default 20_000 */
  maxDocuments: number
  /** Bytes that may wait to be worked off, or to be sent, for one peer. @default 16_777_216 */
  maxBacklog: number
  /** Offences after which a peer is disconnected and not listened to again. @default 5 */
  maxOffences: number
  /** How often one peer may ask for everything that it lacks. @default 20 */
  maxRequests: number
}

/** A document travels as one update to whoever has nothing of it: both have the same limit. */
export const peerLimits: PeerLimits = {
  ...updateLimits,
  maxDocumentBytes: updateLimits.maxBytes,
  maxDocuments: 20_000,
  maxBacklog: 16_777_216,
  maxOffences: 5,
  maxRequests: 20,
}

/** Bytes of a whole message: an update in base64, and its envelope. */
export function messageLimit({ maxBytes }: Pick<PeerLimits, 'maxBytes'>): number {
  return Math.ceil(maxBytes / 3) * 4 + 4_096
}
