import { describe, expect, test } from 'vitest'
import { journalsOf, newestGeneration } from '../../../lib/storage/generation.ts'
import { endKey, journalPrefix, keysOfSpace, segmentKey } from '../../../lib/storage/journalKey.ts'

const prefix = journalPrefix('rx-outbox/alice', 'main')

describe('a key', () => {
  test('says where it belongs, and its numbers sort as text', () => {
    expect(segmentKey(prefix, 1, 23)).toBe('rx-outbox/rx-outbox%002falice/main/0000000001/0000000023')
    expect(segmentKey(prefix, 2, 10) > segmentKey(prefix, 2, 9)).toBe(true)
    expect(endKey(prefix, 2)).toBe('rx-outbox/rx-outbox%002falice/main/0000000002/end')
  })

  test('is plain ASCII for any name, and gives the name back', () => {
    for (const name of ['', '/', '%', 'é', '\ud83d', '日本/..', '%002f']) {
      const key = segmentKey(journalPrefix(name, name), 0, 0)
      expect(key).toMatch(/^[\w./%-]+$/)
      expect(keysOfSpace([key], name)).toEqual([{ key, journal: name, generation: 0, segment: 0 }])
    }
  })
})

describe('keys in any order', () => {
  const keys = [
    segmentKey(prefix, 1, 10),
    endKey(journalPrefix('rx-outbox/alice', 'gone'), 3),
    segmentKey(prefix, 0, 3),
    segmentKey(journalPrefix('rx-outbox/alice', 'gone'), 2, 0),
    segmentKey(prefix, 1, 9),
    endKey(prefix, 1),
    segmentKey(journalPrefix('rx-outbox/alice', 'gone'), 1, 0),
    segmentKey(journalPrefix('rx-outbox/bob', 'main'), 7, 0),
  ]

  test('show the newest generation of a journal, and what is left of older ones', () => {
    expect(newestGeneration(keys, 'rx-outbox/alice', 'main')).toEqual({
      number: 1,
      segments: [segmentKey(prefix, 1, 9), segmentKey(prefix, 1, 10)],
      next: 11,
      stale: [segmentKey(prefix, 0, 3), endKey(prefix, 1)],
    })
  })

  test('show the journals that hold anything, and not those that were removed', () => {
    expect(journalsOf(keys, 'rx-outbox/alice')).toEqual(['main'])
    expect(journalsOf(keys.toReversed(), 'rx-outbox/alice')).toEqual(['main'])
  })
})
