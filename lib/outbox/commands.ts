import { PersistenceError } from '../errors.ts'
import type { Journal } from '../storage/journal.ts'
import type { Enqueued, JournalRecord } from '../storage/records.ts'
import { isResolution } from '../isResolution.ts'
import { knowsKey } from './knowsKey.ts'
import type { Entry } from './lane.ts'
import type { Outbox } from './outbox.ts'
import { isAsked } from './attempted.ts'
import { isSameVersion } from './rows.ts'
import { present } from './snapshot.ts'
import type { Resolution } from '../conflict.ts'

export interface CommandsConfig {
  outbox: Outbox
  /** Puts in the place of a task what was decided; throws where that cannot be stored. */
  settle: (entry: Entry, resolution: Resolution) => void
  journal: Pick<Journal, 'write' | 'flush'>
  owner: string
  now: () => number
  createId: () => string
  keyWindowOf: (entityType: string) => number
}

/** What a person may do with tasks. Each resolves when it is recorded. */
export interface Commands {
  retry: (taskId: string) => Promise<string>
  discard: (taskId: string) => Promise<void>
  retryAll: () => Promise<void>
  discardAll: () => Promise<void>
  /** Ends a conflict that was asked about. */
  resolve: (taskId: string, resolution: Resolution) => Promise<void>
  /** Waiting retries become due now, except under Retry-After. */
  flush: () => Promise<void>
}

/** Where the remote has gone on since the letter was sent, and what it was made on is known: the row that it was made on. */
function basisOf({ on, local, mark, lane: { known } }: Entry): Pick<Enqueued, 'on' | 'local'> {
  if (on) return { on: present(on), ...(local && { local: present(local) }) }
  if (mark?.base === undefined || known?.data === undefined || isSameVersion(mark, known)) return {}
  return { on: present({ version: mark.version, data: mark.base }), local: { data: known.data } }
}

export function createCommands({
  outbox,
  settle,
  journal,
  owner,
  now,
  createId,
  keyWindowOf,
}: CommandsConfig): Commands {
  const { state } = outbox
  /** Dead letters whose new task is being stored. */
  const reviving = new Set<Entry>()

  function find(taskId: string): Entry {
    for (const entry of state.tasks.values()) if (entry.id === taskId) return entry
    throw new PersistenceError(`There is no task ${taskId}: it has ended, or belongs to somebody else.`)
  }

  function dead(): Entry[] {
    return [...state.dead].sort((a, b) => a.place - b.place)
  }

  /** A deadline that has passed would end the new task at once, and an age begins anew. */
  function expiryOf({ createdAt, maxAge = Infinity, expiresAt = Infinity }: Entry): number | undefined {
    const own = expiresAt === createdAt + maxAge || expiresAt <= now() ? Infinity : expiresAt
    const ends = Math.min(own, now() + maxAge)
    return ends === Infinity ? undefined : ends
  }

  async function retry(letter: Entry): Promise<string> {
    refuseIfReviving(letter)
    reviving.add(letter)
    try {
      return await revive(letter)
    } finally {
      reviving.delete(letter)
    }
  }

  /** The journal cannot take back what is on its way into it. */
  function refuseIfReviving(letter: Entry): void {
    if (reviving.has(letter)) throw new PersistenceError(`The dead letter ${letter.id} is being retried.`)
  }

  /** Makes a new task of a dead letter, in its place. In doubt and within the window it is the same request: same key. */
  async function revive(letter: Entry): Promise<string> {
    const { lane, maxAge, mark } = letter
    const again = letter.inDoubt && mark && knowsKey(mark.firstSentAt, keyWindowOf(lane.entityType), now())
    const id = createId()
    const record: Enqueued = {
      kind: 'enqueued',
      ...outbox.stamp(),
      id,
      entityType: lane.entityType,
      entityId: lane.entityId,
      operation: letter.operation,
      createdAt: now(),
      schemaVersion: letter.schemaVersion,
      priority: letter.priority,
      place: letter.place,
      retryOf: letter.id,
      ...present({
        key: again ? letter.key : undefined,
        owner: owner || undefined,
        expiresAt: expiryOf(letter),
        maxAge,
        dependsOn: letter.dependsOn,
        ...basisOf(letter),
        data: letter.data,
      }),
    }
    const records: JournalRecord[] = [record]
    if (again) {
      const { durable: _, ...frozen } = mark
      records.push({
        kind: 'sending',
        ...outbox.stamp(),
        task: record.lsn,
        ...present(frozen),
        firstSentAt: mark.firstSentAt,
      })
    }
    // The steps that were done are done, whatever the key.
    if (letter.progress !== undefined)
      records.push({ kind: 'progress', ...outbox.stamp(), task: record.lsn, data: letter.progress })
    await journal.write(records, 'enqueue')
    // Asked before it comes back to life: what it held up was parked, and supersedes nothing.
    const later = lane.queue.find(
      ({ place, state: is, operation, inDoubt }) =>
        place > letter.place && (is === 'sending' || (is === 'waiting' && (operation !== 'create' || inDoubt))),
    )
    // What may have been applied since must not be undone. A create undoes nothing, unless what came later was sent.
    const doubtful = lane.dead?.find(
      ({ place, inDoubt, mark: sent }) =>
        inDoubt && place > letter.place && (sent !== undefined || letter.operation !== 'create'),
    )
    const supersededBy = letter.overtakenBy ?? later?.id ?? doubtful?.id
    outbox.accept([record], { merge: false })
    for (const rest of records.slice(1)) outbox.commit(rest)
    const entry = state.tasks.get(record.lsn)
    if (entry?.mark) entry.mark.durable = true
    if (entry && supersededBy !== undefined) outbox.end(entry, { status: 'superseded', supersededBy })
    return id
  }

  function drop(entry: Entry): void {
    const followers =
      entry.state === 'dead' ? [...state.tasks.values()].filter(({ blockedBy }) => blockedBy === entry) : []
    for (const follower of followers) outbox.end(follower, { status: 'discarded' })
    outbox.end(entry, { status: 'discarded' })
  }

  return {
    async retry(taskId) {
      const letter = find(taskId)
      if (letter.state !== 'dead')
        throw new PersistenceError(`Task ${taskId} is no dead letter: it is tried by itself.`)
      return retry(letter)
    },
    async discard(taskId) {
      const entry = find(taskId)
      if (entry.state === 'sending')
        throw new PersistenceError(`Task ${taskId} is in flight: discard it when it has come back.`)
      refuseIfReviving(entry)
      drop(entry)
      await journal.flush()
    },
    async resolve(taskId, resolution) {
      const entry = find(taskId)
      if (!isResolution(resolution))
        throw new TypeError('resolve() takes a task id, and local, remote or { merged: data }.')
      if (!isAsked(entry)) throw new PersistenceError(`Task ${taskId} is in no conflict that was asked about.`)
      settle(entry, resolution)
      await journal.flush()
    },
    async flush() {
      for (const entry of state.tasks.values()) if (!entry.held) entry.retryAt = 0
      outbox.refreshAll()
    },
    async retryAll() {
      for (const letter of dead()) if (letter.state === 'dead' && !reviving.has(letter)) await retry(letter)
    },
    async discardAll() {
      for (const letter of dead()) if (letter.state === 'dead' && !reviving.has(letter)) drop(letter)
      await journal.flush()
    },
  }
}
