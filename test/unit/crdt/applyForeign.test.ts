import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { isPersistenceError } from 'rx-outbox'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { applyForeign } from '../../../strategies/crdt/applyForeign.ts'
import { readEntity, writeEntity } from '../../../strategies/crdt/entityDoc.ts'

const text = ['body']
const note = { id: 'n1', title: 'Milk', tags: ['a', { b: 1 }], body: 'some text' }

function written(entity: unknown = note): Y.Doc {
  const doc = new Y.Doc({ gc: false })
  writeEntity(doc, entity, text)
  return doc
}

const bytesOf = (doc: Y.Doc) => Y.encodeStateAsUpdate(doc)

/** Whether it was refused; then with an error of the library, and the document is as it was. */
function isRefused(doc: Y.Doc, update: Uint8Array, limits = {}): boolean {
  const [before, vector] = [readEntity(doc), Y.encodeStateVector(doc)]
  try {
    applyForeign(doc, update, limits)
    return false
  } catch (error) {
    assert(isPersistenceError(error))
    assert.deepEqual(readEntity(doc), before)
    assert.deepEqual(Y.encodeStateVector(doc), vector)
    return true
  }
}

/** An edit of a device that has seen `doc`. */
function editOf(doc: Y.Doc, entity: unknown): Uint8Array {
  const other = new Y.Doc()
  Y.applyUpdate(other, bytesOf(doc))
  const seen = Y.encodeStateVector(other)
  writeEntity(other, entity, text)
  return Y.encodeStateAsUpdate(other, seen)
}

test('an honest update is applied', () => {
  const doc = written()
  applyForeign(doc, editOf(doc, { ...note, title: 'Bread', body: 'some more text' }))
  expect(readEntity(doc)).toMatchObject({ data: { title: 'Bread', body: 'some more text' } })
})

test('whatever the bytes are, they are applied, or refused with an error, and the document can still be used', () => {
  const any = fc.uint8Array({ maxLength: 200 })
  const places = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 })
  const mutated = places.map((changes) => {
    const bytes = editOf(written(), { ...note, title: 'Bread', body: 'other text', more: { deep: [1, 2, 3] } })
    for (const [place, byte] of changes) bytes[place % bytes.length] = byte
    return bytes
  })
  const cut = fc.nat().map((length) => bytesOf(written()).slice(0, length % bytesOf(written()).length))
  const honest = fc.string().map((title) => editOf(written(), { ...note, title }))
  let [refused, applied] = [0, 0]
  fc.assert(
    fc.property(fc.oneof(any, { weight: 4, arbitrary: mutated }, cut, honest), (bytes) => {
      const doc = written()
      if (isRefused(doc, bytes)) refused += 1
      else applied += 1
      writeEntity(doc, { id: 'n1', body: 'still here' }, text)
      expect(readEntity(doc)).toEqual({ is: 'alive', data: { id: 'n1', body: 'still here' } })
      expect(Reflect.ownKeys(Object.prototype)).not.toContain('polluted')
    }),
    { numRuns: 300 },
  )
  expect(refused).toBeGreaterThan(50)
  expect(applied).toBeGreaterThan(10)
})

test('bytes after the end are refused with what is wrong', () => {
  const doc = written()
  expect(() => applyForeign(doc, new Uint8Array([1, 2]))).toThrow('A foreign update cannot be decoded')
})

test('one update may not be larger than the limit', () => {
  const doc = written()
  const update = editOf(doc, { ...note, body: 'x'.repeat(2_000) })
  expect(isRefused(doc, update, { maxBytes: 1_000 })).toBe(true)
  expect(isRefused(doc, update, { maxBytes: 5_000 })).toBe(false)
})

test('one update may not have more pieces than the limit', () => {
  const doc = written()
  const update = editOf(doc, Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`field ${at}`, at])))
  expect(isRefused(doc, update, { maxStructs: 40 })).toBe(true)
  expect(isRefused(doc, update, { maxStructs: 100 })).toBe(false)
})

test('what waits for missing updates may not grow beyond the limit', () => {
  const doc = written()
  const other = new Y.Doc()
  writeEntity(other, { id: 'n1', body: 'the beginning, which never comes' }, text)
  const missing = Y.encodeStateVector(other)
  writeEntity(other, { id: 'n1', body: 'x'.repeat(3_000) }, text)
  const update = Y.encodeStateAsUpdate(other, missing)

  expect(isRefused(doc, update, { maxPendingBytes: 1_000 })).toBe(true)
  expect(isRefused(doc, update, { maxPendingBytes: 5_000 })).toBe(false)
})

test('a document may not grow beyond the limit, however small the updates are', () => {
  const doc = written()
  const limits = { maxBytes: 400, maxDocumentBytes: 2_000 }
  const grown = Array.from({ length: 20 }, (_, at) => {
    const other = new Y.Doc()
    other.getMap('fields').set(`field ${at}`, 'x'.repeat(200))
    return isRefused(doc, bytesOf(other), limits)
  })
  expect(grown.slice(0, 3)).toEqual([false, false, false])
  expect(grown.slice(-3)).toEqual([true, true, true])
  expect(bytesOf(doc).length).toBeLessThanOrEqual(2_000)
})

function nestedAs(depth: number): Uint8Array {
  const other = new Y.Doc()
  let nested: unknown[] = []
  for (let level = 0; level < depth; level += 1) nested = [nested]
  other.getMap('fields').set('deep', nested)
  other.getMap('entity').set('alive', true)
  return bytesOf(other)
}

test('values nested very deep are cut off when they are read', () => {
  const doc = new Y.Doc()
  applyForeign(doc, nestedAs(1_000))
  expect(readEntity(doc)).toMatchObject({ is: 'alive' })
})

test('values nested deeper than the stack allows are refused with an error, where it is too short for them', () => {
  const doc = written()
  isRefused(doc, nestedAs(5_000))
  expect(readEntity(doc)).toMatchObject({ is: 'alive' })
  writeEntity(doc, { id: 'n1', body: 'still here' }, text)
  expect(readEntity(doc)).toMatchObject({ is: 'alive', data: { body: 'still here' } })
})
