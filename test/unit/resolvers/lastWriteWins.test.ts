import { expect, test } from 'vitest'
import { lastWriteWins } from '../../../lib/resolvers/lastWriteWins.ts'

interface Doc {
  at?: number | string | Date
}

const about = { entityType: 'doc', id: '1', taskId: 't', operation: 'update', createdAt: 0, base: undefined } as const

test.each<[string, Doc | undefined, Doc | undefined, string]>([
  ['the later change stays', { at: 2 }, { at: 1 }, 'local'],
  ['whichever side it is', { at: 1 }, { at: 2 }, 'remote'],
  ['the remote stays where both are as late', { at: 1 }, { at: 1 }, 'remote'],
  ['dates and ISO texts are times', { at: new Date(5) }, { at: '1970-01-01T00:00:00.004Z' }, 'local'],
  ['what says nothing is older', { at: 'whenever' }, { at: 1 }, 'remote'],
  ['a deletion gives way here', undefined, { at: 1 }, 'remote'],
  ['a deletion gives way there', { at: 1 }, undefined, 'local'],
])('%s', (_, local, remote, expected) => {
  expect(lastWriteWins<Doc>({ at: 'at' })({ ...about, local, remote })).toBe(expected)
  expect(lastWriteWins<Doc>({ at: (doc) => doc.at })({ ...about, local, remote })).toBe(expected)
})
