import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type TextEdit, textDiff } from '../../../strategies/crdt/textDiff.ts'

function applied(text: string, edits: TextEdit[]): string {
  return edits.reduce(
    (result, { index, remove, insert }) => result.slice(0, index) + insert + result.slice(index + remove),
    text,
  )
}

const cost = (edits: TextEdit[]) => edits.reduce((sum, { remove, insert }) => sum + remove + insert.length, 0)

/** Insertions and deletions at least needed, by the table that everybody knows. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (const [i, character] of a.split('').entries()) {
    const next = [i + 1]
    for (const [j, other] of b.split('').entries()) {
      const kept = character === other ? (row[j] ?? 0) : Infinity
      next.push(Math.min(kept, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

test('makes the one text of the other, with as few letters as can be', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 30 })
  fc.assert(
    fc.property(text, text, (before, after) => {
      const edits = textDiff(before, after)
      expect(applied(before, edits)).toBe(after)
      expect(cost(edits)).toBe(distance(before, after))
    }),
  )
})

test('never cuts a character in two', () => {
  expect(textDiff('👍', '👎')).toEqual([{ index: 0, remove: 2, insert: '👎' }])
  expect(textDiff('a👍b', 'a👎b')).toEqual([{ index: 1, remove: 2, insert: '👎' }])
})

test('leaves what stands between two edits alone', () => {
  const edits = textDiff('two three four', '12 two three four 5')
  expect(edits).toEqual([
    { index: 14, remove: 0, insert: ' 5' },
    { index: 0, remove: 0, insert: '12 ' },
  ])
})

test('takes texts without anything in common as one edit', () => {
  const [before, after] = ['a'.repeat(20_000), 'b'.repeat(20_000)]
  expect(textDiff(before, after)).toEqual([{ index: 0, remove: 20_000, insert: after }])
})
