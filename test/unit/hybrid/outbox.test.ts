import { AuthError, ConflictError, memoryStore, NetworkError, PermanentError } from 'rx-outbox'
import { all, fallback } from 'rx-outbox/hybrid'
import { describe, expect, test } from 'vitest'
import { minute, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { open } from '../../support/opened.ts'
import { accepts, fails, hangs, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

const down = fails(() => new NetworkError('down'))

function bothOf(cloud: Remote, backup: Remote, options: Parameters<typeof open>[1] = {}) {
  const strategy = all({ cloud, backup })
  return open(cloud, options, { note: strategy, tag: strategy })
}

describe('all, in an outbox', () => {
  test('a retry asks only the leg that has not confirmed, under the same key', async () => {
    const cloud = new Remote(() => [{ backendId: 'b1', version: 3 }])
    const backup = new Remote(inTurn(down, accepts))
    const receipt = bothOf(cloud, backup).created('note', note('n1'))
    await pass(3 * minute)
    expect(await receipt.settled).toMatchObject({ status: 'persisted', receipt: { backendId: 'b1', version: 3 } })
    expect([cloud.calls.length, backup.calls.length]).toEqual([1, 2])
    expect(backup.calls[1]?.attempt.idempotencyKey).toBe(backup.calls[0]?.attempt.idempotencyKey)
  })

  test('a restart asks only the leg that has not confirmed', async () => {
    const storage = memoryStore()
    const cloud = new Remote(() => [{ backendId: 'b1' }])
    const first = bothOf(cloud, new Remote(hangs), { storage })
    first.created('note', note('n1'))
    await now()
    expect(cloud.calls).toHaveLength(1)
    await first.close()
    const backup = new Remote()
    const second = bothOf(cloud, backup, { storage })
    await now()
    expect([cloud.calls.length, backup.calls.length]).toEqual([1, 1])
    expect(await second.metadata('note', 'n1')).toMatchObject({ syncStatus: 'synced', backendId: 'b1' })
  })

  test('a dead letter that is retried by hand asks only the leg that has not confirmed', async () => {
    const cloud = new Remote()
    const backup = new Remote(
      inTurn(
        fails(() => new PermanentError('never')),
        accepts,
      ),
    )
    const persistence = bothOf(cloud, backup)
    const receipt = persistence.created('note', note('n1'))
    await now()
    expect(await receipt.settled).toMatchObject({ status: 'failed' })
    await persistence.retryAll()
    await now()
    expect([cloud.calls.length, backup.calls.length]).toEqual([1, 2])
    expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'synced' })
  })

  test('an update goes to the primary with its id and version, to the others without', async () => {
    const cloud = new Remote(() => [{ backendId: 'b1', version: 3 }])
    const backup = new Remote(() => [{ backendId: 'other', version: 'w9' }])
    const persistence = bothOf(cloud, backup)
    persistence.created('note', note('n1'))
    await now()
    persistence.updated('note', note('n1', 'new'))
    await now()
    expect(cloud.calls[1]?.attempt).toMatchObject({ backendId: 'b1', version: 3 })
    expect(backup.calls[1]?.attempt).not.toHaveProperty('backendId')
    expect(backup.calls[1]?.attempt).not.toHaveProperty('version')
  })

  test('a 401 of one leg waits for authorized(), and the other leg is not asked again', async () => {
    const cloud = new Remote()
    const backup = new Remote(
      inTurn(
        fails(() => new AuthError('who?', { status: 401 })),
        accepts,
      ),
    )
    const persistence = bothOf(cloud, backup)
    const receipt = persistence.created('note', note('n1'))
    await pass(10 * minute)
    expect(backup.calls).toHaveLength(1)
    await persistence.authorized('note')
    await now()
    expect(await receipt.settled).toMatchObject({ status: 'persisted' })
    expect([cloud.calls.length, backup.calls.length]).toEqual([1, 2])
  })
})

describe('fallback, in an outbox', () => {
  test('goes on to the next leg when one does not answer, long before the attempt is over', async () => {
    const near = new Remote(hangs)
    const far = new Remote()
    const strategy = fallback({ near, far })
    const receipt = open(near, {}, { note: strategy, tag: strategy }).created('note', note('n1'))
    await pass(9_999)
    expect(far.calls).toHaveLength(0)
    await pass(1)
    expect(await receipt.settled).toMatchObject({ status: 'persisted' })
    expect(near.calls[0]?.attempt.signal.aborted).toBe(true)
    expect(far.calls[0]?.attempt.idempotencyKey).toBe(near.calls[0]?.attempt.idempotencyKey)
  })

  test('leaves a conflict to the app', async () => {
    const near = new Remote(fails(() => new ConflictError('stale', { status: 412, remote: note('n1', 'theirs') })))
    const far = new Remote()
    const strategy = fallback({ near, far })
    const persistence = open(near, {}, { note: strategy, tag: strategy })
    persistence.created('note', note('n1'))
    await now()
    expect(far.calls).toHaveLength(0)
    expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'conflict' })
  })
})
