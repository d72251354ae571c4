import type { Ended, Enqueued, JournalRecord, Retry, Sending } from '../storage/records.ts'
import { freeze, putOff } from './attempted.ts'
import { createEntry, createLane, insertByPlace, type Entry, type Lane, laneKey, removeFrom } from './lane.ts'
import { knownAfter, knownFrom } from './knownAfter.ts'
import { createParking } from './parking.ts'
import { createRelations, mayWaitFor, waitsFor } from './relations.ts'
import { baseAfter, isSameRow } from './rows.ts'
import { createSuccession } from './succession.ts'

/** What a journal means: the fold of its records, in order. Replaying and living go through the same `apply`. */
export interface OutboxState {
  readonly lanes: Map<string, Lane>
  /** Live tasks and dead letters by lsn. */
  readonly tasks: Map<number, Entry>
  readonly dead: Set<Entry>
  /** Writers whose journals are in this one, and up to which lsn. */
  readonly imported: Map<string, number>
  /** Per entity type: the last remote position whose rows the app has taken over, as text. */
  readonly checkpoints: Map<string, string>
  /** Tasks in flight. */
  readonly sending: Set<Entry>
  /** Tasks in a conflict that the app was asked about. */
  readonly asked: Set<Entry>
  /** How many tasks are in each state. */
  readonly counts: Record<Entry['state'], number>
  lsn: number
  epoch: number
  /** Which journal this is, by the id it began with. */
  id: string | undefined
  /** Set once tasks came back from a mirror: up to that lsn, those without a mark may have been sent since then. */
  doubt: { upTo: number; since: number } | undefined
  /** The only way in which a task changes its state. */
  become: (entry: Entry, state: Entry['state']) => void
  apply: (record: JournalRecord) => Entry | undefined
}

/** What the fold has to be told. */
export interface StateConfig {
  /** Whether tasks of that type and version can be delivered: else they are parked. */
  knows: (entityType: string, schemaVersion: number) => boolean
  /** A lane may have moved in the schedule. */
  touch: (lane: Lane) => void
}

export function createState({ knows, touch }: StateConfig): OutboxState {
  const lanes = new Map<string, Lane>()
  const tasks = new Map<number, Entry>()
  const letters = new Set<Entry>()
  const imported = new Map<string, number>()
  const checkpoints = new Map<string, string>()
  const inFlight = new Set<Entry>()
  const asked = new Set<Entry>()
  const counts = { waiting: 0, sending: 0, parked: 0, dead: 0, ended: 0 }
  const begun = { lsn: 0, epoch: 0, id: undefined, doubt: undefined }
  const maps = { lanes, tasks, dead: letters, imported, checkpoints, sending: inFlight, asked, counts }
  const state: OutboxState = { ...maps, ...begun, become, apply }

  const relations = createRelations(lanes, touch)
  const { followers, deadCreateBefore, awaitDependencies, forsake } = relations
  const { park, unpark } = createParking({ relations, become, touch })
  const superseded = createSuccession({ tasks, relations, become })

  function become(entry: Entry, next: Entry['state']): void {
    counts[entry.state]--
    counts[next]++
    if (next === 'sending') inFlight.add(entry)
    else if (entry.state === 'sending') inFlight.delete(entry)
    if (next !== 'parked') asked.delete(entry)
    entry.state = next
  }

  function apply(record: JournalRecord): Entry | undefined {
    // A leader that was replaced may still have written: what it said counts no more.
    if (record.epoch < state.epoch) return undefined
    state.epoch = record.epoch
    if (record.lsn > state.lsn) state.lsn = record.lsn
    switch (record.kind) {
      case 'enqueued':
        return enqueued(record)
      case 'sending':
        return sending(record)
      case 'retry':
        return retry(record)
      case 'ended':
        return ended(record)
      case 'superseded':
        return touched(superseded(record))
      case 'metadata': {
        const own = lane(record.entityType, record.entityId)
        own.known = knownFrom(record)
        rebase(own, undefined)
        return undefined
      }
      case 'progress': {
        const entry = tasks.get(record.task)
        if (entry) entry.progress = record.data
        return entry
      }
      case 'imported':
        imported.set(record.writer, record.upTo)
        return undefined
      case 'base':
        rebase(lane(record.entityType, record.entityId), { version: record.version, data: record.data })
        return undefined
      case 'checkpoint':
        checkpoints.set(record.entityType, record.data)
        return undefined
      case 'opened':
        state.id ??= record.id
        if (record.doubtUpTo !== undefined) state.doubt = { upTo: record.doubtUpTo, since: record.doubtSince ?? 0 }
        return undefined
      case 'command':
        return undefined
    }
  }

  /** What a mirror said: it lagged, and the task may have been sent meanwhile. */
  const isDoubtful = ({ lsn }: JournalRecord): boolean => lsn <= (state.doubt?.upTo ?? 0)

  function lane(entityType: string, entityId: string): Lane {
    const key = laneKey(entityType, entityId)
    const found = lanes.get(key)
    if (found) return found
    const made = createLane(entityType, entityId)
    lanes.set(key, made)
    return made
  }

  function enqueued(record: Enqueued): Entry | undefined {
    // Only damage says it twice.
    if (tasks.has(record.lsn)) return undefined
    const own = lane(record.entityType, record.entityId)
    const entry = createEntry(record, own, knows(record.entityType, record.schemaVersion) ? 'waiting' : 'parked')
    entry.inDoubt = isDoubtful(record)
    tasks.set(entry.lsn, entry)
    counts[entry.state]++
    insertByPlace(own.queue, entry)
    own.lastAt = entry.createdAt
    const revived = entry.retryOf === undefined ? undefined : own.dead?.find(({ id }) => id === entry.retryOf)
    if (revived) {
      bury(revived)
      // Who depends on it and has not gone meanwhile waits for it again.
      for (const waiter of own.waiters ?? []) touch(waiter.lane)
    }
    awaitDependencies(entry)
    const cause = deadCreateBefore(entry)
    if (cause) park(entry, cause)
    touch(own)
    return entry
  }

  function retry(record: Retry): Entry | undefined {
    const entry = tasks.get(record.task)
    if (!entry) return undefined
    putOff(entry, record, isDoubtful(record))
    if (record.asked) {
      become(entry, 'parked')
      asked.add(entry)
    }
    return touched(entry)
  }

  /** Whoever was asked about another row has to be asked anew. */
  function rebase(own: Lane, base: Lane['base']): void {
    if (own.base && base && isSameRow(own.base, base)) return
    own.base = base
    for (const entry of own.queue) if (asked.has(entry)) become(entry, isKnown(entry) ? 'waiting' : 'parked')
    touch(own)
  }

  const isKnown = ({ lane: { entityType }, schemaVersion }: Pick<Entry, 'lane' | 'schemaVersion'>) =>
    knows(entityType, schemaVersion)

  function touched(entry: Entry | undefined): Entry | undefined {
    if (entry) touch(entry.lane)
    return entry
  }

  function sending(record: Sending): Entry | undefined {
    const entry = tasks.get(record.task)
    if (!entry) return undefined
    freeze(entry, record)
    // By a newer app than this one.
    if (entry.state === 'waiting' && !isKnown(entry)) {
      become(entry, 'parked')
      touch(entry.lane)
    }
    return entry
  }

  function ended(record: Ended): Entry | undefined {
    const entry = tasks.get(record.task)
    if (!entry) return undefined
    const died = record.outcome === 'failed' || record.outcome === 'expired' ? record.outcome : undefined
    // Said again, behind a compaction that had it already, its death means nothing.
    if (entry.state === 'dead') return died ? entry : bury(entry)
    const { lane: own, blockedBy } = entry
    removeFrom(own.queue, entry)
    become(entry, died ? 'dead' : 'ended')
    entry.blockedBy = undefined
    // Whoever was parked only because this one was.
    if (blockedBy && entry.operation === 'create') unpark(entry, blockedBy)
    if (record.outcome === 'persisted') {
      const base = baseAfter(entry, record)
      own.known = knownAfter(entry, record)
      own.base = base
      for (const dead of own.dead ?? []) if (dead.place < entry.place) dead.overtakenBy = entry.id
    }
    if (died) {
      entry.outcome = died
      entry.error = record.error
      entry.inDoubt = record.inDoubt ?? false
      entry.overtakenBy = record.by
      ;(own.dead ??= []).push(entry)
      letters.add(entry)
      if (entry.operation === 'create') for (const follower of followers(entry)) park(follower, entry)
    } else tasks.delete(entry.lsn)
    forsake(entry)
    release(own)
    return entry
  }

  /** A dead letter leaves; what was parked behind it waits again. */
  function bury(dead: Entry): Entry {
    removeFrom(dead.lane.dead, dead)
    if (dead.lane.dead?.length === 0) dead.lane.dead = undefined
    tasks.delete(dead.lsn)
    letters.delete(dead)
    become(dead, 'ended')
    unpark(dead, dead)
    release(dead.lane)
    return dead
  }

  /** A task of the lane ended: who waited for it may go, and an empty lane of which nothing is known is forgotten. */
  function release(own: Lane): void {
    for (const waiter of own.waiters ?? []) {
      if (waitsFor(waiter, own)) continue
      if (!mayWaitFor(waiter, own)) own.waiters?.delete(waiter)
      touch(waiter.lane)
    }
    if (own.waiters?.size === 0) own.waiters = undefined
    touch(own)
    if (own.queue.length === 0 && !own.dead && !own.known && !own.base && !own.waiters) lanes.delete(own.key)
  }

  return state
}
