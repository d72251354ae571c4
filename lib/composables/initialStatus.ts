import type { OutboxStatus } from '../types.ts'

/** What can be said of an outbox before anything is known. */
export const initialStatus: OutboxStatus = Object.freeze({
  phase: 'opening',
  online: true,
  paused: false,
  leader: false,
  pending: 0,
  processing: 0,
  waiting: 0,
  parked: 0,
  dead: 0,
  authRequired: Object.freeze([]),
  storage: Object.freeze({ kind: 'none', durability: 'none', state: 'opening' }),
})
