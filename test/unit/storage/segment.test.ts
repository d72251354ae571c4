import { expect, test } from 'vitest'
import { groupsOf, withGroup } from '../../../lib/storage/segment.ts'

const segment = [[1, 2], [], [3]].reduce((all, group) => withGroup(all, new Uint8Array(group)), new Uint8Array(0))

test('a segment gives its groups back, as copies', () => {
  const groups = groupsOf(segment)
  expect(groups).toEqual([new Uint8Array([1, 2]), new Uint8Array(0), new Uint8Array([3])])
  groups[0]?.fill(0)
  expect(groupsOf(segment)[0]).toEqual(new Uint8Array([1, 2]))
})

test('a segment has a buffer of exactly its size: the localStorage driver stores the whole buffer', () => {
  expect(segment.buffer.byteLength).toBe(segment.byteLength)
})

test('a length that is too long makes one group of all that is left', () => {
  const damaged = segment.slice()
  damaged[1] = 1
  expect(groupsOf(damaged)).toEqual([segment.slice(4)])
})
