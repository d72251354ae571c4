import type { Entry } from '../outbox/lane.ts'
import { migrate, type MigrationConfig } from '../outbox/migrate.ts'
import type { Outbox } from '../outbox/outbox.ts'
import { agreedOn, localOf, remoteOf } from '../outbox/rows.ts'
import { present } from '../outbox/snapshot.ts'
import type { Enqueued, Retry } from '../storage/records.ts'
import { encodeValue } from '../storage/value.ts'
import type { Resolution } from '../conflict.ts'
import type { Operation } from '../types.ts'
import { validate } from '../validate.ts'

export interface ResolutionsConfig extends MigrationConfig {
  outbox: Outbox
  owner: string
  createId: () => string
  keepsBase: (entityType: string) => boolean
}

/** Ends conflicts. */
export interface Resolutions {
  /**
   * Puts in the place of a task what was decided: a new one with a key of its own, based on what the remote holds, or
   * nothing. `retry` says what its attempts were.
   *
   * @throws TypeError for data that cannot be stored, or that its schema refuses
   * @throws PersistenceError where a migration of the local data fails
   */
  settle: (entry: Entry, resolution: Resolution, retry?: Pick<Retry, 'retryCount' | 'retryAt' | 'error'>) => void
}

export function createResolutions({ outbox, owner, createId, keepsBase, ...shapes }: ResolutionsConfig): Resolutions {
  /** The remote's row stays as the base until the app has it; what comes until then was made on what the app shows. */
  function takeRemote(entry: Entry): void {
    const { lane } = entry
    const { entityType, entityId, known, base } = lane
    const { data } = localOf(entry)
    outbox.end(entry, { status: 'discarded' })
    if (!base || !keepsBase(entityType)) return
    const about = { entityType, entityId }
    outbox.note({ kind: 'metadata', ...outbox.stamp(), ...about, ...present({ ...known, data }) })
    outbox.note({ kind: 'base', ...outbox.stamp(), ...about, ...present(base) })
  }

  function mergedOf(entityType: string, value: unknown): Pick<Entry, 'data' | 'schemaVersion'> {
    if (value === undefined) throw new TypeError(`${entityType}: merged is missing; it is the whole entity.`)
    validate(shapes.schemaOf(entityType), value, entityType)
    return { data: encodeValue(value, entityType), schemaVersion: shapes.schemaVersion }
  }

  return {
    settle(entry, resolution, retry) {
      if (resolution === 'remote') return takeRemote(entry)
      const { lane, createdAt, priority, dependsOn, maxAge, expiresAt } = entry
      const local = localOf(entry)
      const { data, schemaVersion } =
        resolution === 'local' ? (migrate(entry, shapes) ?? entry) : mergedOf(lane.entityType, resolution.merged)
      const record: Enqueued = {
        kind: 'enqueued',
        ...outbox.stamp(),
        id: createId(),
        entityType: lane.entityType,
        entityId: lane.entityId,
        operation: operationOf(entry, data),
        createdAt,
        schemaVersion,
        priority,
        place: entry.place,
        on: onFor(entry),
        ...present({
          owner: owner || undefined,
          expiresAt,
          maxAge,
          dependsOn,
          local: data === local.data ? undefined : present(local),
          data,
        }),
      }
      outbox.replace(entry, record, retry)
    },
  }
}

/** What the remote holds is what the new task is made on. */
function onFor(entry: Entry) {
  const { version, data } = remoteOf(entry.lane) ?? {}
  return present({ version, data, was: data === undefined ? agreedOn(entry) : undefined })
}

/** What brings the remote from what it holds to that data. */
function operationOf({ operation, lane: { base } }: Entry, data: string | undefined): Operation {
  if (data === undefined) return 'delete'
  if (base) return base.data === undefined ? 'create' : 'update'
  return operation === 'delete' ? 'update' : operation
}
