import { PermanentError } from 'rx-outbox'
import type * as Y from 'yjs'
import { inertFields, inertValue, isPlainObject, type Plain, plainFields, samePlain, wellFormed } from './plainValue.ts'
import { textDiff } from './textDiff.ts'

/** What a document holds: nothing yet, an entity, or its tombstone. */
export type EntityState = { is: 'none' } | { is: 'deleted' } | { is: 'alive'; data: Record<string, Plain> }

/**
 * The parts of an entity's document. They have names of their own, so that two devices which make the same document
 * apart from each other make parts that merge.
 */
function partsOf(doc: Y.Doc) {
  return {
    /** `alive`: true, once an entity was written. */
    life: doc.getMap('entity'),
    /**
     * An entry for each deletion, which only a write that has seen it takes away. One flag for all would be won by one of
     * two devices, and each field by one of them, perhaps the other: what is alive would lack fields that were deleted.
     */
    deletions: doc.getArray('deletions'),
    /** Field by field, what is no shared text. */
    fields: doc.getMap('fields'),
    /** The names of the fields that are shared texts. */
    texts: doc.getMap('texts'),
    textOf: (field: string) => doc.getText(`text/${field}`),
  }
}

/** The entity in `doc`; nothing in it, however hostile, touches a prototype. */
export function readEntity(doc: Y.Doc): EntityState {
  const { life, deletions, fields, texts, textOf } = partsOf(doc)
  if (deletions.length > 0) return { is: 'deleted' }
  if (life.get('alive') !== true) return { is: 'none' }
  const shared = [...texts.keys()].map((key) => [key, textOf(key).toJSON()] as const)
  return { is: 'alive', data: inertFields([...fields, ...shared]) }
}

/**
 * Makes `doc` hold `entity`, or a tombstone for `undefined`, in one transaction that changes only what differs.
 * The fields named in `text` that hold a text become shared texts.
 * @throws PermanentError for what a document cannot hold, before anything is changed
 */
export function writeEntity(doc: Y.Doc, entity: unknown, text: readonly string[] = [], origin?: unknown): void {
  if (entity !== undefined && !isPlainObject(entity)) throw new PermanentError('The entity is no plain object')
  const data = new Map(Object.entries(plainFields(entity ?? {}, '')))
  doc.transact(() => {
    const { life, deletions, fields, texts, textOf } = partsOf(doc)
    const isText = (key: string) => text.includes(key) && typeof data.get(key) === 'string'
    for (const key of fields.keys()) if (!data.has(key) || isText(key)) fields.delete(key)
    for (const key of texts.keys()) {
      if (isText(key)) continue
      texts.delete(key)
      writeText(textOf(key), '')
    }
    for (const [key, value] of data) {
      if (typeof value === 'string' && isText(key)) {
        if (texts.get(key) !== true) texts.set(key, true)
        writeText(textOf(key), value)
      } else if (!fields.has(key) || !samePlain(inertValue(fields.get(key)), value)) fields.set(key, value)
    }
    if (entity !== undefined) {
      deletions.delete(0, deletions.length)
      if (life.get('alive') !== true) life.set('alive', true)
    } else if (deletions.length === 0) deletions.push([true])
  }, origin)
}

/** Whether writing `entity` (`undefined`: a tombstone) would change nothing that can be read. */
export function holdsEntity(doc: Y.Doc, entity: unknown): boolean {
  const there = readEntity(doc)
  if (entity === undefined) return there.is === 'deleted'
  return there.is === 'alive' && isPlainObject(entity) && samePlain(there.data, plainFields(entity, ''))
}

function writeText(shared: Y.Text, after: string): void {
  const before = shared.toJSON()
  const text = wellFormed(after)
  // Something else than text is in it, which has a length but no letters: its indices are not ours.
  if (before.length !== shared.length) {
    shared.delete(0, shared.length)
    shared.insert(0, text)
    return
  }
  for (const { index, remove, insert } of textDiff(before, text)) {
    if (remove > 0) shared.delete(index, remove)
    if (insert) shared.insert(index, insert)
  }
}
