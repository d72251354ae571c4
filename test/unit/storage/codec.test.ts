import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createState } from '../../../lib/outbox/state.ts'
import { snapshot } from '../../../lib/outbox/snapshot.ts'
import { decodeRecord, encodeRecord } from '../../../lib/storage/codec.ts'
import type { JournalRecord } from '../../../lib/storage/records.ts'
import { anyRecord } from '../../support/anyRecord.ts'

describe('a record', () => {
  test('of every kind comes back as it was, from one line', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const line = encodeRecord(record)
        expect(line).not.toContain('\n')
        expect(line.startsWith('rx')).toBe(false)
        expect(decodeRecord(line)).toEqual(record)
      }),
      { numRuns: 1_000 },
    )
  })

  test('says nothing of what is absent', () => {
    expect(
      encodeRecord({ kind: 'ended', lsn: 7, epoch: 1, task: 3, outcome: 'persisted', at: 9, backendId: undefined }),
    ).toBe('x[7,1,3,"persisted",9]')
    expect(
      encodeRecord({ kind: 'retry', lsn: 7, epoch: 1, task: 3, retryCount: 1, retryAt: 9, error, inDoubt: true }),
    ).toBe('r[7,1,3,1,9,{"category":"server","message":"down"},null,true]')
  })

  test('keeps its data as the text that was given, behind a tab', () => {
    const line = encodeRecord({ kind: 'progress', lsn: 7, epoch: 1, task: 3, data: '{"a": 1}' })
    expect(line).toBe('p[7,1,3]\t{"a": 1}')
  })

  test('of a later version with more columns is read as far as it is known', () => {
    expect(decodeRecord('p[7,1,3,"new",{"column":1}]\t1')).toEqual({
      kind: 'progress',
      lsn: 7,
      epoch: 1,
      task: 3,
      data: '1',
    })
  })
})

const error = { category: 'server', message: 'down' } as const

/** Lines that were records once, and lines that never were. */
const mangled = fc
  .tuple(anyRecord, fc.array(fc.tuple(fc.nat({ max: 80 }), fc.nat({ max: 4 }), fc.string({ maxLength: 3 }))))
  .map(([record, edits]) =>
    edits.reduce(
      (line, [at, count, insert]) => line.slice(0, at) + insert + line.slice(at + count),
      encodeRecord(record),
    ),
  )
const anyJson = fc
  .tuple(
    fc.constantFrom('o', 'e', 's', 'r', 'x', 'u', 'i', 'c', 'm', 'p', 'b', 'k', '?'),
    fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 18 }),
    fc.boolean(),
  )
  .map(([letter, values, tab]) => `${letter}${JSON.stringify([1, 0, ...values])}${tab ? '\tnull' : ''}`)
/** A record of which one column is something else. */
const swapped = fc.tuple(anyRecord, fc.nat({ max: 20 }), fc.jsonValue({ maxDepth: 2 })).map(([record, at, value]) => {
  const [, letter = '', columns = '[]', data = ''] = /^(.)([^\t]*)(.*)$/su.exec(encodeRecord(record)) ?? []
  const values: unknown = JSON.parse(columns)
  if (Array.isArray(values)) values[2 + (at % Math.max(1, values.length - 2))] = value
  return `${letter}${JSON.stringify(values)}${data}`
})
const shuffled = fc.tuple(anyRecord, anyRecord).map(([a, b]) => encodeRecord(a).slice(0, 1) + encodeRecord(b).slice(1))

describe('garbage', () => {
  test('is a record or nothing, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), mangled, swapped, anyJson, shuffled), (line) => {
        const record = decodeRecord(line)
        expect(record && decodeRecord(encodeRecord(record))).toEqual(record)
      }),
      { numRuns: 2_000 },
    )
  })

  test('that reads like a record does no harm to what a journal means', () => {
    const line = fc.oneof({ weight: 2, arbitrary: anyRecord.map(encodeRecord) }, swapped, mangled, anyJson, shuffled)
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20, size: 'max' }), (lines) => {
        const state = createState({ knows: () => true, touch: () => undefined })
        const records = lines.map(decodeRecord).filter((record) => record !== undefined)
        for (const record of records) state.apply(record)
        const kept: JournalRecord[] = [...snapshot(state, '')]
        for (const record of kept) expect(() => encodeRecord(record)).not.toThrow()
      }),
      { numRuns: 1_000 },
    )
  })

  test.each([
    ['an unknown kind', 'z[1,1]'],
    ['no kind', ''],
    ['a kind of an object', 'constructor[1,1]'],
    ['no JSON', 'o[1,1'],
    ['no list', 'o{"lsn":1}'],
    ['no lsn', 'o[null,1]'],
    ['a column too few', 'i[1,1,"w"]'],
    ['a number for a text', 'i[1,1,5,5]'],
    ['a text for a number', 'i[1,1,"w","5"]'],
  ])('with %s is no record', (_, line) => {
    expect(decodeRecord(line)).toBeUndefined()
  })
})
