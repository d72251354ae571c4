import type {
  Base,
  Ended,
  Enqueued,
  JournalRecord,
  Metadata,
  Opened,
  Progress,
  Retry,
  Sending,
} from '../storage/records.ts'
import { isAsked } from './attempted.ts'
import type { Entry, Lane } from './lane.ts'
import type { OutboxState } from './state.ts'

/** The records that mean the same as all that were ever written: what a compaction keeps. */
export function* snapshot(state: OutboxState, owner: string): Generator<JournalRecord> {
  const { epoch, lsn } = state
  yield openedOf(state)
  for (const [writer, upTo] of state.imported) yield { kind: 'imported', lsn, epoch, writer, upTo }
  for (const [entityType, data] of state.checkpoints) yield { kind: 'checkpoint', lsn, epoch, entityType, data }
  for (const lane of state.lanes.values()) yield* knownOf(lane, state)
  // By lsn, so that a task stands behind those it may depend on; dead letters die before anything comes behind them.
  for (const entry of [...state.tasks.values()].sort((a, b) => a.place - b.place)) yield* recordsOf(entry, epoch, owner)
}

/** How far the journal has come, and which one it is. */
export function openedOf({ lsn, epoch, id, doubt }: OutboxState): Opened {
  return { kind: 'opened', lsn, epoch, ...present({ id, doubtUpTo: doubt?.upTo, doubtSince: doubt?.since }) }
}

/** What is known of the entity, and of the remote's row that it has to be based on. */
export function* knownOf(
  { entityType, entityId, known, base }: Lane,
  { lsn, epoch }: { lsn: number; epoch: number },
): Generator<Metadata | Base> {
  if (known) yield { kind: 'metadata', lsn, epoch, entityType, entityId, ...present(known) }
  if (base) yield { kind: 'base', lsn, epoch, entityType, entityId, ...present(base) }
}

export type TaskRecord = Enqueued | Sending | Retry | Progress | Ended

/** A task as it is now, a dead letter too: its `enqueued` record, and what became of it. */
export function* recordsOf(entry: Entry, epoch: number, owner: string): Generator<TaskRecord> {
  const { lsn, lane, mark } = entry
  yield {
    kind: 'enqueued',
    lsn,
    epoch,
    id: entry.id,
    entityType: lane.entityType,
    entityId: lane.entityId,
    operation: entry.operation,
    createdAt: entry.createdAt,
    schemaVersion: entry.schemaVersion,
    priority: entry.priority,
    ...present({
      key: entry.key === entry.id ? undefined : entry.key,
      owner: owner || undefined,
      expiresAt: entry.expiresAt,
      maxAge: entry.maxAge,
      dependsOn: entry.dependsOn,
      place: entry.place === lsn ? undefined : entry.place,
      retryOf: entry.retryOf,
      on: entry.on,
      local: entry.local,
      data: entry.data,
    }),
  }
  if (mark) {
    const { firstSentAt, backendId, version, backendIds, base } = mark
    yield { kind: 'sending', lsn, epoch, task: lsn, firstSentAt, ...present({ backendId, version, backendIds, base }) }
  }
  if (entry.error && entry.state !== 'dead') {
    const { retryCount, retryAt, error, held } = entry
    // Marked again, it may have gone by the time this is read.
    const inDoubt = entry.inDoubt || mark?.durable
    const put = { kind: 'retry', lsn, epoch, task: lsn, retryCount, retryAt, error, held, inDoubt } as const
    yield isAsked(entry) ? { ...put, asked: true } : put
  }
  if (entry.progress !== undefined) yield { kind: 'progress', lsn, epoch, task: lsn, data: entry.progress }
  if (entry.state === 'dead') {
    const { outcome = 'failed', error, inDoubt, overtakenBy: by } = entry
    if (entry.retryCount > 0 && error) {
      yield { kind: 'retry', lsn, epoch, task: lsn, retryCount: entry.retryCount, retryAt: 0, error }
    }
    yield { kind: 'ended', lsn, epoch, task: lsn, outcome, at: 0, inDoubt, ...present({ error, by }) }
  }
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** The fields that say something: an absent one is not written. */
export function present<T extends object>(fields: T): Present<T> {
  const kept: Present<T> = {}
  for (const name in fields) {
    const value = fields[name]
    if (value !== undefined) Object.assign(kept, { [name]: value })
  }
  return kept
}
