import * as Y from 'yjs'
import { fromBase64, toBase64 } from './base64.ts'
import { holdsEntity, readEntity, writeEntity } from './entityDoc.ts'

/** An edit of an entity as bytes that can be applied as often as one likes. */
export interface Change {
  update: Uint8Array
  /** Names the state that the app has after it: what it had seen before, and its own edit; nothing it has not seen. */
  version: string
}

/** A name for what `doc` holds, from which that state can be found again, however much is added later. */
export function versionOf(doc: Y.Doc): string {
  return toBase64(Y.encodeSnapshot(Y.snapshot(doc)))
}

/** Names the state in which nothing was written yet. */
export const nothingYet = toBase64(Y.encodeSnapshot(Y.emptySnapshot))

/**
 * The edit that makes `entity` (`undefined`: its tombstone) of what the app had seen, which `version` names; `doc` may
 * have gone on since. What others did meanwhile is not in it, and so is not undone. `doc` keeps what was deleted
 * (`gc: false`) and is not changed. With no version, or one that `doc` does not know, the edit starts from all that is
 * in `doc`.
 * @throws PermanentError for what a document cannot hold
 */
export function changeOf(doc: Y.Doc, version: unknown, entity: unknown, text: readonly string[] = []): Change {
  const branch = Y.createDocFromSnapshot(doc, knownSnapshot(doc, version) ?? Y.snapshot(doc), new Y.Doc({ gc: false }))
  const seen = Y.encodeStateVector(branch)
  // The same author where it goes on from all its own edits: the list of authors would grow with every edit otherwise.
  const clocks = [doc, branch].map(({ store }) => Y.getState(store, doc.clientID))
  if (clocks[0] === clocks[1]) branch.clientID = doc.clientID
  writeEntity(branch, entity, text)
  return { update: Y.encodeStateAsUpdate(branch, seen), version: versionOf(branch) }
}

/** The state from which a task starts that was made on `version`. */
export function startOf(doc: Y.Doc, entity: unknown, isNew: boolean, version: unknown): unknown {
  // What is there already, typed by somebody else or sent by an attempt that nobody remembers, is not written twice.
  if (holdsEntity(doc, entity)) return undefined
  // A create beside another one merges with it; one that finds a tombstone brings the entity back.
  return isNew && readEntity(doc).is === 'alive' ? nothingYet : version
}

/** Whether it is an edit that was stored. */
export function isChange(value: unknown): value is Change {
  if (typeof value !== 'object' || value === null || !('update' in value) || !('version' in value)) return false
  return value.update instanceof Uint8Array && typeof value.version === 'string'
}

/** Applies an edit made by `changeOf`, also one of an earlier run; a second time does nothing. */
export function applyChange(doc: Y.Doc, { update }: Change, origin?: unknown): void {
  doc.transact((transaction) => {
    Y.applyUpdate(doc, update)
    // It is our own: seeing others write under its name, Yjs would take a new one for the document.
    transaction.local = true
  }, origin)
}

function knownSnapshot(doc: Y.Doc, version: unknown): Y.Snapshot | undefined {
  if (typeof version !== 'string') return undefined
  try {
    const snapshot = Y.decodeSnapshot(fromBase64(version))
    const known = [...snapshot.sv].every(([client, clock]) => clock <= Y.getState(doc.store, client))
    return known ? snapshot : undefined
  } catch {
    // Made by another strategy, or damaged: as good as none.
    return undefined
  }
}
