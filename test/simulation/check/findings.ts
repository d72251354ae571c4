/** A promise that was broken, by what, and where in the history. */
export interface Finding {
  invariant: Invariant
  what: string
  /** Index of the event that shows it. */
  event: number
}

export const invariants = {
  I1: 'no acknowledged task is lost: in the end it has one outcome, or is a listed dead letter',
  I3: 'at least once on the wire, once in effect: one body a key, one key a task, one effect an event',
  I4: 'the tasks of an entity take effect in the order of the app, one in flight at a time',
  I5: 'one writer a journal, one sender; a replaced one sends no more than it had begun',
  I6: 'acknowledged means stored, and nothing is sent before; by durability',
  I7: 'conservation: the library never loses count, each task ends once',
  I8: 'once nothing goes wrong everything drains within a bound',
  I9: 'what is closed leaves neither timers nor locks behind',
  I10: 'retries: at most maxRetries, not before their time nor Retry-After, not after expiry, 401 costs none',
  I15: 'streams and receipts tell each end once, and nothing after closing',
  I17: 'read your own writes: what waits is never written over by what others changed',
  I18: 'what others changed is what the remote held, and never older than what was read',
  I19: 'a checkpoint is stored after all before it was taken over: nothing is skipped',
  I20: 'once nothing goes wrong the store of the app holds what the remote holds',
  I16: 'nothing of one owner is sent as another; hostile content stays content',
} as const
export type Invariant = keyof typeof invariants
