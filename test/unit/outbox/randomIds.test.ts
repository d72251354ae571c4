import { expect, test } from 'vitest'
import { randomIds } from '../../../lib/randomIds.ts'

/** All bytes that were asked for, one after the other. */
function counting() {
  const asked: number[] = []
  let next = 0
  const randomBytes = (count: number) => {
    asked.push(count)
    return Uint8Array.from({ length: count }, () => next++ % 256)
  }
  return { asked, randomBytes }
}

test('an id is a UUID of version 4, made of 16 random bytes', () => {
  const createId = randomIds(counting().randomBytes)
  expect(createId()).toBe('00010203-0405-4607-8809-0a0b0c0d0e0f')
  expect(createId()).toBe('10111213-1415-4617-9819-1a1b1c1d1e1f')
})

test('every bit but the six fixed ones is of chance', () => {
  const [low, high] = [0, 255].map((byte) => randomIds((count) => new Uint8Array(count).fill(byte))())
  expect(low).toBe('00000000-0000-4000-8000-000000000000')
  expect(high).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff')
})

test('no random byte is used twice, however many ids there are', () => {
  const { asked, randomBytes } = counting()
  let count = 0
  const createId = randomIds((bytes) => {
    const chance = randomBytes(bytes)
    for (let at = 0; at + 16 <= bytes; at += 16) new DataView(chance.buffer).setUint32(at, ++count)
    return chance
  })
  const ids = Array.from({ length: 1_000 }, createId)
  expect(new Set(ids).size).toBe(1_000)
  expect(asked.reduce((sum, bytes) => sum + bytes)).toBeGreaterThanOrEqual(16_000)
})
