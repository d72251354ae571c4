/** What went wrong between devices, outside any task: to be shown or logged. Nothing of it harms what is stored. */
export interface PeerTrouble {
  /**
   * Of a peer: `malformed`, `oversized` or `unexpected` (a message), `replayed` (it came before), `unasked` (a
   * confirmation of what it was not sent), `refused` (an update that was not taken), `forged` (edits in our name),
   * `flood` (more than can be worked off), `version` (it speaks a newer protocol), `ignored` (too much of all that: it
   * was disconnected).
   * Of the way to peers: `password` (a peer has another one), `no-candidates` (the browser shows no address at all),
   * `unconnected` (met, but not reached), `signalling` (peers cannot be found), `transport` (no room).
   * Of this device: `storage`.
   */
  what:
    | 'malformed'
    | 'oversized'
    | 'unexpected'
    | 'replayed'
    | 'unasked'
    | 'refused'
    | 'forged'
    | 'flood'
    | 'version'
    | 'ignored'
    | 'password'
    | 'no-candidates'
    | 'unconnected'
    | 'signalling'
    | 'transport'
    | 'storage'
  message: string
  /** The peer it is about. */
  peer?: string
  cause?: unknown
}

export type ReportTrouble = (trouble: PeerTrouble) => void
