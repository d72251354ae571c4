import { ServerError } from 'rx-outbox'
import * as Y from 'yjs'
import { type EntityState, readEntity } from './entityDoc.ts'

export interface UpdateLimits {
  /** Bytes of one update. @default 1_048_576 */
  maxBytes: number
  /** Pieces of one update; the time that it takes grows with them, at worst with their square. @default 20_000 */
  maxStructs: number
  /** Milliseconds that one of many pieces may take; it is tried in a worker first. @default 500 */
  maxTime: number
  /** Bytes that wait in a document for what they build on. @default 65_536 */
  maxPendingBytes: number
  /** Bytes of the document afterwards. @default 8_388_608 */
  maxDocumentBytes: number
}

export const updateLimits: UpdateLimits = {
  maxBytes: 1_048_576,
  maxStructs: 20_000,
  maxTime: 500,
  maxPendingBytes: 65_536,
  maxDocumentBytes: 8_388_608,
}

/**
 * Applies an update from outside, after a trial on a copy: what is malformed or too much leaves `doc` as it was.
 * @throws ServerError that says what is wrong with the update
 */
export function applyForeign(
  doc: Y.Doc,
  bytes: Uint8Array,
  limits: Partial<UpdateLimits> = {},
  origin?: unknown,
): void {
  checkUpdate(doc, bytes, limits)
  Y.applyUpdate(doc, bytes, origin)
}

/**
 * What the document would hold with the update; `doc` is not changed. Nothing here can be interrupted: `maxTime` is for
 * those who have a worker.
 * @throws ServerError that says what is wrong with the update
 */
export function checkUpdate(doc: Y.Doc, bytes: Uint8Array, limits: Partial<UpdateLimits> = {}): EntityState {
  const { maxBytes, maxStructs, maxPendingBytes, maxDocumentBytes } = { ...updateLimits, ...limits }
  refuseAbove(maxBytes, bytes.length, 'bytes in one update')
  const { structs } = attempted('cannot be decoded', () => Y.decodeUpdate(bytes))
  refuseAbove(maxStructs, structs.length, 'pieces in one update')

  const trial = new Y.Doc()
  try {
    Y.applyUpdate(trial, Y.encodeStateAsUpdate(doc))
    attempted('cannot be applied', () => Y.applyUpdate(trial, bytes))
    const state = attempted('makes the entity unreadable', () => readEntity(trial))
    refuseAbove(maxPendingBytes, pendingBytes(trial), 'bytes that wait for missing updates')
    refuseAbove(maxDocumentBytes, Y.encodeStateAsUpdate(trial).length, 'bytes in the document')
    return state
  } finally {
    trial.destroy()
  }
}

function pendingBytes({ store }: Y.Doc): number {
  return (store.pendingStructs?.update.length ?? 0) + (store.pendingDs?.length ?? 0)
}

function attempted<T>(what: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw new ServerError(`A foreign update ${what}`, { cause })
  }
}

function refuseAbove(limit: number, found: number, of: string): void {
  if (found > limit) throw new ServerError(`A foreign update was refused: ${found} ${of}, ${limit} at most`)
}
