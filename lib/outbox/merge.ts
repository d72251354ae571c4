import { decodeValue, encodeValue } from '../storage/value.ts'
import type { Operation } from '../types.ts'
import { isAsked } from './attempted.ts'
import { coalesce } from './coalesce.ts'
import type { Entry, Lane } from './lane.ts'
import { isInConflict, type Merges } from './rows.ts'

export interface MergeConfig {
  /** The version of the app's shapes. */
  schemaVersion: number
  /** The strategy's own way to join two changes, if it has one. It knows the present shapes only. */
  coalesceOf: (entityType: string) => ((older: unknown, newer: unknown) => unknown) | undefined
  merges: Merges
}

/** What two neighbours of a lane become together; `undefined` when both have to be sent. */
export function mergedOperation(
  older: Entry | undefined,
  newer: Entry,
  lanesOf: (dependsOn: Entry['dependsOn']) => Lane[],
  config: MergeConfig,
): Operation | 'nothing' | undefined {
  if (!older || newer.state !== 'waiting' || newer.mark || !isOpen(older, config)) return undefined
  // The newer one was made on something else than what would be sent.
  if (older.local) return undefined
  if (lanesOf(newer.dependsOn).some((on) => on !== newer.lane && waitsForMore(newer, older, on))) return undefined
  // A dead letter between them would come after the newer one when it is retried.
  if (newer.lane.dead?.some(({ place }) => place > older.place)) return undefined
  if (newer.data !== undefined && !isOfNow(older, newer, config)) return undefined
  const operation = coalesce(older.operation, newer.operation)
  return operation === 'nothing' && isThere(older) ? 'delete' : operation
}

/** Nobody may have sent it; or it was refused, and will not be sent again as it is. */
function isOpen(older: Entry, { merges }: MergeConfig): boolean {
  if (isAsked(older)) return true
  if (older.state !== 'waiting') return false
  // In doubt without a mark: it came back from a mirror.
  return older.mark ? isInConflict(older, merges) : !older.inDoubt
}

/** Whether the data of both can be joined: always, where the newer's simply stands. */
function isOfNow(older: Entry, newer: Entry, { schemaVersion, coalesceOf }: MergeConfig): boolean {
  const isOne = (entry: Entry) => entry.schemaVersion === schemaVersion
  return !coalesceOf(newer.lane.entityType) || (isOne(older) && isOne(newer))
}

/** The remote will have the entity already: a create and a delete do not cancel out. */
function isThere({ lane: { known, base, queue }, place }: Entry): boolean {
  const before = queue.findLast((task) => task.place < place)
  if (before) return before.operation !== 'delete'
  return base ? base.data !== undefined : known !== undefined
}

/** The newer one waits there for something that the older one does not: then it may not move to its place. */
function waitsForMore(newer: Entry, older: Entry, on: Lane): boolean {
  const isWaited = on.waiters?.has(older) ?? false
  return on.queue.some(({ place }) => place < newer.place && (place > older.place || !isWaited))
}

/**
 * The data of both, joined the strategy's own way; `undefined` where the newer's simply stands.
 *
 * @throws whatever the strategy throws, and TypeError for a result that cannot be stored
 */
export function joinedData(
  older: Entry,
  newer: Entry,
  own: ((older: unknown, newer: unknown) => unknown) | undefined,
): string | undefined {
  if (!own || older.data === undefined || newer.data === undefined) return undefined
  return encodeValue(own(decodeValue(older.data), decodeValue(newer.data)), newer.lane.entityType)
}
