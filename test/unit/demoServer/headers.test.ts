import { expect, test } from 'vitest'
import { ifMatch, ifNoneMatch } from '../../../demo/server/etag.ts'
import { parseKey } from '../../../demo/server/idempotencyKey.ts'
import { seededRandom } from '../../../demo/server/seededRandom.ts'

test('an Idempotency-Key is unescaped as RFC 8941 says', () => {
  expect(parseKey(undefined)).toBeUndefined()
  expect(parseKey('"abc"')).toBe('abc')
  expect(parseKey(String.raw` "a\"b\\c" `)).toBe(String.raw`a"b\c`)
})

test('an Idempotency-Key of another form is refused', () => {
  for (const header of ['', 'abc', '""', '"a', '"a"b"', String.raw`"a\b"`, '"é"', '"a\tb"', '"a";p=1', "'a'"]) {
    expect(() => parseKey(header)).toThrow('Idempotency-Key takes a string in quotes')
  }
})

test('If-Match compares strongly, If-None-Match weakly', () => {
  expect(ifMatch(undefined, 3)).toBe(true)
  expect(ifMatch('*', 3)).toBe(true)
  expect(ifMatch('"1", "3"', 3)).toBe(true)
  expect(ifMatch('W/"3"', 3)).toBe(false)
  expect(ifMatch('"33"', 3)).toBe(false)
  expect(() => ifMatch('3', 3)).toThrow('in quotes')
  expect(ifNoneMatch(undefined, 3)).toBe(false)
  expect(ifNoneMatch('W/"3"', 3)).toBe(true)
  expect(ifNoneMatch('"2"', 3)).toBe(false)
})

test('seeded chance repeats itself, differs by seed and fills the range', () => {
  const draws = (seed: number) => {
    const random = seededRandom(seed)
    return Array.from({ length: 1_000 }, random)
  }
  expect(draws(1)).toEqual(draws(1))
  expect(draws(1)).not.toEqual(draws(2))
  const mean = draws(1).reduce((sum, draw) => sum + draw, 0) / 1_000
  expect(mean).toBeGreaterThan(0.45)
  expect(mean).toBeLessThan(0.55)
  expect(draws(1).every((draw) => draw >= 0 && draw < 1)).toBe(true)
})
