import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mergeFields, type MergeFieldsOptions } from '../../../lib/resolvers/mergeFields.ts'
import { mergeText } from '../../../lib/resolvers/mergeText.ts'
import { decodeValue } from '../../../lib/storage/value.ts'

interface Doc {
  [field: string]: unknown
}

function merged(
  base: Doc | undefined,
  local: Doc | undefined,
  remote: Doc | undefined,
  options?: MergeFieldsOptions<Doc>,
) {
  const about = { entityType: 'doc', id: '1', taskId: 't', operation: 'update', createdAt: 0 } as const
  return mergeFields<Doc>(options)({ ...about, base, local, remote })
}

const base = { a: 1, b: 2, c: 3 }

test.each([
  ['what either side changed stays', { ...base, a: 9 }, { ...base, b: 8 }, { merged: { a: 9, b: 8, c: 3 } }],
  ['what either side added or removed stays so', { a: 1, b: 2, d: 4 }, { a: 1, c: 3 }, { merged: { a: 1, d: 4 } }],
  [
    'of what both changed the local value stays',
    { ...base, a: 9 },
    { ...base, a: 8, b: 0 },
    { merged: { ...base, a: 9, b: 0 } },
  ],
  ['what is like one side needs no merge', { ...base, a: 9 }, { ...base, a: 8 }, 'local'],
  ['a change goes before a deletion here', undefined, { ...base, a: 8 }, 'remote'],
  ['a change goes before a deletion there', { ...base, a: 9 }, undefined, 'local'],
])('%s', (_, local, remote, expected) => {
  expect(merged(base, local, remote)).toEqual(expected)
})

test('otherwise says whose value stays, or has the app asked, but only where both changed the same', () => {
  const [local, remote] = [
    { ...base, a: 9, c: 0 },
    { ...base, a: 8, b: 0 },
  ]
  expect(merged(base, local, remote, { otherwise: 'remote' })).toEqual({ merged: { a: 8, b: 0, c: 0 } })
  expect(merged(base, local, remote, { otherwise: 'ask' })).toBe('ask')
  expect(merged(base, { ...base, a: 9 }, { ...base, b: 8 }, { otherwise: 'ask' })).toEqual({
    merged: { a: 9, b: 8, c: 3 },
  })
  expect(merged(base, undefined, remote, { otherwise: 'ask' })).toBe('ask')
})

test('plain objects are merged inside; lists, dates and the rest are one value', () => {
  const was = { in: { x: 1, y: [1], at: new Date(1) } }
  const mine = { in: { x: 2, y: [1, 2], at: new Date(1) } }
  const theirs = { in: { x: 1, y: [1, 3], at: new Date(2) } }
  expect(merged(was, mine, theirs)).toEqual({ merged: { in: { x: 2, y: [1, 2], at: new Date(2) } } })
})

test('without a base what only one side has stays', () => {
  expect(merged(undefined, { a: 1, b: 1 }, { a: 2, c: 2 })).toEqual({ merged: { a: 1, b: 1, c: 2 } })
})

test('a field may be merged in a way of its own, where both sides changed it', () => {
  const sum = ({ base: was, local, remote }: { base: unknown; local: unknown; remote: unknown }) =>
    Number(local) + Number(remote) - Number(was)
  expect(merged({ n: 5 }, { n: 7 }, { n: 6 }, { fields: { n: sum } })).toEqual({ merged: { n: 8 } })
  expect(merged({ n: 5 }, { n: 7 }, { n: 5 }, { fields: { n: sum } })).toBe('local')
})

describe('a prototype', () => {
  const names = fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'a')
  const hostile = fc.letrec((tie) => ({
    doc: fc.dictionary(names, fc.oneof({ maxDepth: 3 }, fc.constantFrom(1, 'x', null), tie('doc')), {
      noNullPrototype: true,
      maxKeys: 5,
    }),
  })).doc

  test('is never touched: hostile names are fields like any other, whoever sends them', () => {
    const before = intrinsics()
    fc.assert(
      fc.property(hostile, hostile, hostile, (was, mine, theirs) => {
        // As they come from the journal: own fields, whatever they are called.
        const [older, local, remote] = [was, mine, theirs].map((doc) => decodeValue(JSON.stringify(doc)) as Doc)
        const result = merged(older, local, remote)
        const made = typeof result === 'object' && 'merged' in result ? [result.merged] : []
        const odd = made.filter((doc) => !everyObject(doc, (one) => Object.getPrototypeOf(one) === Object.prototype))
        expect(odd).toEqual([])
        expect(intrinsics()).toEqual(before)
        expect(Reflect.ownKeys({})).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('keeps what both sides changed under its name', () => {
    const doc = (text: string) => decodeValue(text) as Doc
    const result = merged(doc('{"a":1}'), doc('{"a":2}'), doc('{"a":1,"__proto__":{"polluted":true}}'))
    expect(JSON.stringify(result)).toBe('{"merged":{"a":2,"__proto__":{"polluted":true}}}')
    expect('polluted' in {}).toBe(false)
  })
})

function intrinsics() {
  return [Object.prototype, Array.prototype, Function.prototype, Object].map((one) => Reflect.ownKeys(one).map(String))
}

function everyObject(value: unknown, is: (one: object) => boolean): boolean {
  if (typeof value !== 'object' || value === null) return true
  const inside = Object.keys(value).map((name): unknown => Object.getOwnPropertyDescriptor(value, name)?.value)
  return is(value) && inside.every((one) => everyObject(one, is))
}

describe('mergeText', () => {
  test.each([
    ['both sides wrote elsewhere', 'one two three four', 'one 2 three four', 'one two three 4', 'one 2 three 4'],
    ['both sides wrote behind', 'one', 'one two', 'one zwei', 'one zwei two'],
    ['both sides wrote the same', 'one', 'one two', 'one two', 'one two'],
    ['one side removed, the other wrote', 'one two three four', 'one three four', 'one two three 4', 'one three 4'],
    ['there was nothing', undefined, 'mine', 'theirs', 'theirsmine'],
    ['names of prototypes', 'a __proto__ c', 'a __proto__ d', 'b __proto__ c', 'b __proto__ d'],
  ])('%s', (_, was, mine, theirs, expected) => {
    expect(mergeText({ base: was, local: mine, remote: theirs })).toBe(expected)
  })

  test('a long text is merged by lines, and one of too many as a whole', () => {
    const lines = Array.from({ length: 2_000 }, (_, at) => `line ${at}\n`)
    const [was, mine, theirs] = [lines.join(''), ['first\n', ...lines].join(''), [...lines, 'last\n'].join('')]
    expect(mergeText({ base: was, local: mine, remote: theirs })).toBe(['first\n', ...lines, 'last\n'].join(''))
    const many = '\n'.repeat(1_000_000)
    expect(mergeText({ base: many, local: `${many}mine`, remote: many })).toBe(`${many}mine`)
  })

  test('of two sides of which one changed nothing the other one stays, as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (was, other) => {
        expect(mergeText({ base: was, local: other, remote: was })).toBe(other)
        expect(mergeText({ base: was, local: was, remote: other })).toBe(other)
      }),
    )
  })
})
