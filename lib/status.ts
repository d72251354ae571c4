import type { Session } from './session.ts'
import type { JournalStore } from './storage/journalStore.ts'
import type { OutboxStatus, StorageStatus } from './types.ts'

type StorePromise = Pick<JournalStore, 'kind' | 'durability' | 'survives'>

/** What a store promises, before anything was read from it. */
export function storageStatus({ kind, durability, survives }: StorePromise, why?: string): StorageStatus {
  const byDurability = ({ none: 'nothing', relaxed: 'reload', strict: 'power loss' } as const)[durability]
  const known = { kind, durability, survives: survives ?? byDurability, state: 'opening' } as const
  return Object.freeze(why === undefined ? known : { ...known, why })
}

/** What every session's status begins with: nothing is known yet. */
export const openingStatus: OutboxStatus = Object.freeze({
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
  storage: storageStatus({ kind: 'memory', durability: 'none' }),
})

/** The counts of a session, and what is around it. */
export function statusOf(
  session: Session | undefined,
  around: Pick<OutboxStatus, 'online' | 'paused' | 'storage'> & { closed: boolean },
): OutboxStatus {
  const { online, paused, storage, closed } = around
  const stage = session?.stage
  if (closed || !session || !stage) {
    return Object.freeze({
      ...openingStatus,
      phase: closed ? 'closed' : 'opening',
      online,
      paused,
      storage,
      waiting: session?.unstored ?? 0,
    })
  }
  const { waiting, sending, parked, dead } = stage.outbox.state.counts
  const pending = Math.min(waiting, stage.pending())
  return Object.freeze({
    phase: 'running',
    online,
    paused: session.gates.paused,
    leader: stage.delivery !== undefined,
    pending,
    processing: sending,
    waiting: waiting - pending + session.unstored,
    parked,
    dead,
    authRequired: Object.freeze([...session.gates.unauthorized]),
    storage,
  })
}

export function sameStatus(a: OutboxStatus, b: OutboxStatus): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
