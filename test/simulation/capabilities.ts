/** What the library can do already. A line goes when what it names is merged; in the end this file goes. */
export const capabilities = {
  /** The option `channel`: tabs hear each other. */
  channel: true,
  /** The option `leaderTimeout`: a frozen leader is replaced. */
  steal: true,
  /** The option `snapshot`: what is kept beside the journal for when that is gone. */
  mirror: false,
  /** A store may give a journal's bytes in any pieces. */
  pieces: true,
  /** Commands and results reach the leader from any tab. */
  everyTab: true,
  /** The option `durability: 'strict'` is taken. */
  strict: true,
  /** After `close()` nothing is written and no timer is left, also by a tab that was about to lead. */
  closesInTime: true,
}
