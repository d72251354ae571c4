import type { Entry, Lane } from '../outbox/lane.ts'
import type { Conflict } from '../conflict.ts'
import type { PersistenceMetadata, PersistenceTask } from '../types.ts'
import { present } from '../outbox/snapshot.ts'
import { agreedOn, remoteOf } from '../outbox/rows.ts'
import { decodeValue } from '../storage/value.ts'

/** How an app sees what the outbox holds. Derived on demand: nothing of it is kept twice. */
export interface Views {
  task: (entry: Entry) => PersistenceTask
  /** `undefined` for an entity of which nothing is known. */
  metadata: (lane: Lane) => PersistenceMetadata | undefined
  /** What both sides hold, where they differ. */
  conflict: (entry: Entry) => Conflict
}

export function createViews(owner: string, maxRetriesOf: (entityType: string) => number): Views {
  return {
    task(entry) {
      const { lane, data } = entry
      return Object.freeze({
        id: entry.id,
        owner,
        entityType: lane.entityType,
        entityId: lane.entityId,
        operation: entry.operation,
        priority: entry.priority,
        createdAt: entry.createdAt,
        retryCount: entry.retryCount,
        maxRetries: maxRetriesOf(lane.entityType),
        idempotencyKey: entry.key,
        schemaVersion: entry.schemaVersion,
        ...present({
          data: data === undefined ? undefined : readable(data),
          retryAt: entry.retryAt > 0 && entry.state === 'waiting' ? entry.retryAt : undefined,
          expiresAt: entry.expiresAt,
          maxAge: entry.maxAge,
          dependsOn: entry.dependsOn,
          firstSentAt: entry.mark?.firstSentAt,
          error: entry.error,
          blockedBy: entry.blockedBy?.id,
          retryOf: entry.retryOf,
          inDoubt: inDoubt(entry),
          outcome: entry.outcome,
        }),
      })
    },
    conflict(entry) {
      const { lane, id: taskId, operation, createdAt } = entry
      const { entityType, entityId: id } = lane
      const sides = { base: read({ data: agreedOn(entry) }), local: read(entry), remote: read(remoteOf(lane)) }
      return Object.freeze({ entityType, id, taskId, operation, createdAt, ...sides })
    },
    metadata(lane) {
      const { known, queue, dead } = lane
      if (!known && queue.length === 0 && !dead) return undefined
      const shown = dead?.at(-1) ?? queue[0]
      return Object.freeze({
        syncStatus: syncStatus(lane),
        retryCount: shown?.retryCount ?? 0,
        maxRetries: maxRetriesOf(lane.entityType),
        ...present({
          backendId: known?.backendId,
          version: known?.version,
          lastSyncAt: known?.lastSyncAt,
          error: shown?.error,
        }),
      })
    },
  }
}

const read = (side: { data: string | undefined } | undefined): unknown =>
  side?.data === undefined ? undefined : readable(side.data)

/** Damaged, or stored by a newer version: its attempts fail and say why, whoever only looks sees no data. */
function readable(text: string): unknown {
  try {
    return decodeValue(text)
  } catch {
    return undefined
  }
}

/** In doubt is what was sent without a known end and is not on its way right now. */
function inDoubt(entry: Entry): true | undefined {
  return entry.inDoubt && entry.state !== 'sending' ? true : undefined
}

/** The first that applies. */
function syncStatus({ queue, dead }: Lane): PersistenceMetadata['syncStatus'] {
  if (dead || queue.some(({ blockedBy }) => blockedBy)) return 'error'
  const head = queue[0]
  if (head?.error?.category === 'conflict') return 'conflict'
  if (head?.state === 'sending') return 'syncing'
  return head ? 'pending' : 'synced'
}

export function sameMetadata(a: PersistenceMetadata | undefined, b: PersistenceMetadata | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** The metadata of all entities of a type, or of one of them. */
export function metadataOf(
  lanes: Iterable<Lane>,
  views: Views,
  entityType: string,
  id?: string,
): Map<string, PersistenceMetadata> {
  const all = new Map<string, PersistenceMetadata>()
  for (const lane of lanes) {
    if (lane.entityType !== entityType || (id !== undefined && lane.entityId !== id)) continue
    const shown = views.metadata(lane)
    if (shown) all.set(lane.entityId, shown)
  }
  return all
}
