import { ConflictError } from 'rx-outbox'
import { throwError } from 'rxjs'
import { expect, test } from 'vitest'
import { hour, minute, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { open } from '../../support/opened.ts'
import { accepts, fails, hangs, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

test.each([
  ['a ConflictError', () => new ConflictError('another version', { status: 412 })],
  ['a 409', () => Object.assign(new Error('conflict'), { status: 409 })],
  ['a 412', () => Object.assign(new Error('precondition failed'), { response: { status: 412 } })],
])('%s that does not show what the remote holds is retried like any error, as a conflict', async (_, error) => {
  const remote = new Remote(inTurn(() => throwError(error), accepts))
  const persistence = open(remote)
  const results: unknown[] = []
  persistence.results$.subscribe((result) => results.push(result))
  const receipt = persistence.created('note', note('n1'))
  await now()
  expect(results).toMatchObject([
    { status: 'retrying', error: { category: 'conflict' }, metadata: { syncStatus: 'conflict', retryCount: 1 } },
  ])
  await pass(3 * minute)
  expect(await receipt.settled).toMatchObject({ status: 'persisted', metadata: { syncStatus: 'synced' } })
})

test('syncStatus says conflict until another attempt has ended otherwise', async () => {
  const remote = new Remote(
    inTurn(
      fails(() => new ConflictError('another version')),
      () => new Promise((_, fail) => void setTimeout(() => fail(new Error('broken')), minute)),
      hangs,
    ),
  )
  const persistence = open(remote, { attemptTimeout: hour })
  const seen: string[] = []
  persistence.metadata$('note', 'n1').subscribe((metadata) => {
    if (metadata && seen.at(-1) !== metadata.syncStatus) seen.push(metadata.syncStatus)
  })
  persistence.created('note', note('n1'))
  await pass(3 * minute)
  expect(remote.calls).toHaveLength(2)
  expect(seen).toEqual(['pending', 'syncing', 'conflict'])
  await pass(minute)
  expect(seen).toEqual(['pending', 'syncing', 'conflict', 'pending'])
  await pass(12 * minute)
  expect(seen.at(-1)).toBe('syncing')
})

test('one that never shows what the remote holds is a dead letter in the end', async () => {
  const persistence = open(new Remote(fails(() => new ConflictError('another version'))))
  const receipt = persistence.created('note', note('n1'))
  await pass(2 * hour)
  expect(await receipt.settled).toMatchObject({ status: 'failed', metadata: { syncStatus: 'error' } })
})
