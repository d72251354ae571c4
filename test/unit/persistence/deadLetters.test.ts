import { memoryStore, NetworkError, PermanentError, type PersistenceTask } from 'rx-outbox'
import { describe, expect, test } from 'vitest'
import { hour, minute, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { heard, network, open } from '../../support/opened.ts'
import { accepts, type Call, fails, hangs, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

const refuses = fails(() => new PermanentError('refused'))

/** Refuses for good while `bad` holds. */
function refusing(bad: (call: Call) => boolean): Remote {
  return new Remote((call) => (bad(call) ? refuses() : accepts()))
}

function lettersOf(persistence: ReturnType<typeof open>): PersistenceTask[] {
  let letters: readonly PersistenceTask[] = []
  persistence.dead$.subscribe((shown) => (letters = shown)).unsubscribe()
  return [...letters]
}

function letterOf(persistence: ReturnType<typeof open>): PersistenceTask {
  const [letter] = lettersOf(persistence)
  if (!letter) throw new Error('There is no dead letter.')
  return letter
}

describe('a dead letter', () => {
  test('is kept and listed, over restarts, until somebody decides', async () => {
    const storage = memoryStore()
    const first = open(new Remote(refuses), { storage })
    first.created('note', note('n1'))
    await now()
    const [letter] = lettersOf(first)
    expect(letter).toMatchObject({ entityId: 'n1', outcome: 'failed', error: { message: 'refused' }, data: note('n1') })
    await first.close()
    const second = open(new Remote(), { storage })
    await pass(1_000 * hour)
    expect(lettersOf(second)).toEqual([letter])
    const seen: number[] = []
    second.status$.subscribe(({ dead }) => seen.push(dead)).unsubscribe()
    expect(seen).toEqual([1])
  })

  test('of an update does not hold up what comes later', async () => {
    const remote = refusing(({ text }) => text === 'bad')
    const persistence = open(remote)
    persistence.created('note', note('n1'))
    await now()
    persistence.updated('note', note('n1', 'bad'))
    await now()
    persistence.updated('note', note('n1', 'good'))
    await now()
    expect(remote.log).toEqual(['create n1 text', 'update n1 bad', 'update n1 good'])
    expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'error' })
  })
})

describe('retry', () => {
  test('makes a new task of it, with a new key, in its place', async () => {
    const remote = new Remote(inTurn(refuses, accepts))
    const persistence = open(remote)
    const enqueued = heard(persistence.bus, 'queue:task-enqueued')
    persistence.created('note', note('n1'), { priority: 7 })
    await now()
    const letter = letterOf(persistence)
    const id = await persistence.retry(letter.id)
    await now()
    expect(id).not.toBe(letter.id)
    expect(enqueued[1]?.payload).toMatchObject({ task: { id, retryOf: letter.id, priority: 7, retryCount: 0 } })
    expect(remote.log).toEqual(['create n1 text', 'create n1 text'])
    expect(remote.calls[1]?.attempt.idempotencyKey).not.toBe(remote.calls[0]?.attempt.idempotencyKey)
    expect(lettersOf(persistence)).toEqual([])
    expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'synced' })
  })

  test('is durable when it resolves', async () => {
    const storage = memoryStore()
    const first = open(new Remote(refuses), { storage })
    first.created('note', note('n1'))
    await now()
    await first.pause()
    await first.retry(letterOf(first).id)
    await first.close()
    const remote = new Remote()
    const second = open(remote, { storage })
    await now()
    expect(remote.log).toEqual(['create n1 text'])
    expect(lettersOf(second)).toEqual([])
  })

  test('of one in doubt uses the same key and the same input within keyWindow', async () => {
    const remote = new Remote(
      inTurn(
        fails(() => new NetworkError('lost')),
        accepts,
      ),
    )
    const persistence = open(remote, { retryConfig: { maxRetries: 0 } })
    persistence.created('note', note('n1'))
    await now()
    const letter = letterOf(persistence)
    expect(letter).toMatchObject({ inDoubt: true })
    await persistence.retry(letter.id)
    await now()
    expect(remote.calls).toHaveLength(2)
    expect(remote.calls[1]?.attempt.idempotencyKey).toBe(remote.calls[0]?.attempt.idempotencyKey)
  })

  test('of one in doubt uses a new key when keyWindow has passed, or the remote knows no keys', async () => {
    for (const keyWindow of [0, minute]) {
      const remote = Object.assign(
        new Remote(
          inTurn(
            fails(() => new NetworkError('lost')),
            accepts,
          ),
        ),
        { keyWindow },
      )
      const persistence = open(remote, { retryConfig: { maxRetries: 0 } })
      persistence.created('note', note('n1'))
      await now()
      if (keyWindow > 0) await pass(keyWindow + 1)
      await persistence.retry(letterOf(persistence).id)
      await now()
      expect(remote.calls).toHaveLength(2)
      expect(remote.calls[1]?.attempt.idempotencyKey).not.toBe(remote.calls[0]?.attempt.idempotencyKey)
    }
  })

  test('is superseded where a later update of the entity was persisted', async () => {
    const remote = refusing(({ text }) => text === 'bad')
    const persistence = open(remote)
    persistence.created('note', note('n1'))
    await now()
    persistence.updated('note', note('n1', 'bad'))
    await now()
    const later = persistence.updated('note', note('n1', 'good'))
    await now()
    const results: unknown[] = []
    persistence.results$.subscribe((result) => results.push(result))
    const id = await persistence.retry(letterOf(persistence).id)
    await now()
    expect(results).toMatchObject([{ taskId: id, status: 'superseded', supersededBy: later.taskId }])
    expect(remote.log).toEqual(['create n1 text', 'update n1 bad', 'update n1 good'])
    expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'synced' })
  })

  test('is superseded where a later delete was persisted, also after a restart', async () => {
    const storage = memoryStore()
    const remote = refusing(({ text }) => text === 'bad')
    const first = open(remote, { storage })
    first.created('note', note('n1'))
    await now()
    first.updated('note', note('n1', 'bad'))
    await now()
    const deletion = first.deleted('note', 'n1')
    await now()
    await first.close()
    const second = open(remote, { storage })
    await now()
    const results: unknown[] = []
    second.results$.subscribe((result) => results.push(result))
    await second.retry(letterOf(second).id)
    expect(results).toMatchObject([{ status: 'superseded', supersededBy: deletion.taskId }])
    expect(remote.calls).toHaveLength(3)
  })

  test('is superseded where a later update waits or is in flight', async () => {
    for (const answer of [hangs, fails(() => new Error('busy'))]) {
      const remote = new Remote(inTurn(accepts, refuses, answer))
      const persistence = open(remote)
      persistence.created('note', note('n1'))
      await now()
      persistence.updated('note', note('n1', 'bad'))
      await now()
      const later = persistence.updated('note', note('n1', 'good'))
      await now()
      const results: unknown[] = []
      persistence.results$.subscribe((result) => results.push(result))
      await persistence.retry(letterOf(persistence).id)
      await now()
      expect(results).toMatchObject([{ status: 'superseded', supersededBy: later.taskId }])
      expect(remote.calls).toHaveLength(3)
    }
  })

  test('stands before what comes later otherwise', async () => {
    const online$ = network(true)
    const remote = new Remote(inTurn(refuses, accepts))
    const persistence = open(remote, { online$ })
    persistence.created('note', note('n1', 'bad'))
    await now()
    online$.next(false)
    persistence.updated('note', note('n1', 'later'))
    await now()
    await persistence.retry(letterOf(persistence).id)
    online$.next(true)
    await now()
    expect(remote.log).toEqual(['create n1 bad', 'create n1 bad', 'update n1 later'])
  })

  test('of what is no dead letter, or nothing, is refused', async () => {
    const persistence = open(new Remote(hangs))
    const { taskId } = persistence.created('note', note('n1'))
    await now()
    await expect(persistence.retry(taskId)).rejects.toThrow(/no dead letter/)
    await expect(persistence.retry('nobody')).rejects.toThrow(/no task nobody/)
    await expect(persistence.discard('nobody')).rejects.toThrow(/no task nobody/)
  })

  test('asked for twice at once makes one task', async () => {
    const storage = memoryStore()
    const remote = new Remote(inTurn(refuses, accepts))
    const persistence = open(remote, { storage })
    persistence.created('note', note('n1'))
    await now()
    const { id } = letterOf(persistence)
    const outcomes = await Promise.allSettled([persistence.retry(id), persistence.retry(id)])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    await now()
    await persistence.close()
    const second = open(remote, { storage })
    await now()
    await second.idle()
    expect(remote.calls).toHaveLength(2)
  })

  test('and discard at the same time leave nothing behind', async () => {
    const storage = memoryStore()
    const remote = new Remote(inTurn(refuses, accepts))
    const persistence = open(remote, { storage })
    persistence.created('note', note('n1'))
    await now()
    const { id } = letterOf(persistence)
    const [retried] = await Promise.allSettled([persistence.retry(id), persistence.discard(id)])
    await now()
    const sent = remote.calls.length
    expect(sent).toBe(retried.status === 'fulfilled' ? 2 : 1)
    await persistence.close()
    open(remote, { storage })
    await now()
    expect(remote.calls).toHaveLength(sent)
  })

  test('keeps a deadline that is still to come, and gives an age anew', async () => {
    const persistence = open(new Remote(refuses))
    const begun = Date.now()
    const enqueued = heard(persistence.bus, 'queue:task-enqueued')
    persistence.created('note', note('n1'), { expiresAt: begun + hour })
    persistence.created('note', note('n2'), { maxAge: hour })
    persistence.created('note', note('n3'), { maxAge: hour, expiresAt: begun + 30 * minute })
    await pass(minute)
    await persistence.retryAll()
    expect(enqueued.slice(3).map(({ payload }) => payload.task)).toMatchObject([
      { entityId: 'n1', expiresAt: begun + hour },
      { entityId: 'n2', expiresAt: begun + hour + minute },
      { entityId: 'n3', expiresAt: begun + 30 * minute },
    ])
  })

  test('of one that expired is not ended by the deadline that has passed', async () => {
    const online$ = network(false)
    const remote = new Remote()
    const persistence = open(remote, { online$ })
    persistence.created('note', note('n1'), { expiresAt: Date.now() + minute })
    await pass(hour)
    await persistence.retry(letterOf(persistence).id)
    online$.next(true)
    await now()
    expect(remote.log).toEqual(['create n1 text'])
  })
})

describe('behind a dead create', () => {
  async function parked(storage = memoryStore(), remote = new Remote(inTurn(refuses, accepts))) {
    const online$ = network(false)
    const persistence = open(remote, { storage, online$ })
    const create = persistence.created('tag', note('t1'))
    const dependant = persistence.created('note', note('n1'), { dependsOn: [{ entityType: 'tag', id: 't1' }] })
    await now()
    online$.next(true)
    await now()
    const update = persistence.updated('tag', note('t1', 'new'))
    const late = persistence.created('note', note('n2'), { dependsOn: [{ entityType: 'tag', id: 't1' }] })
    persistence.created('note', note('n3'))
    await now()
    return { persistence, remote, create, dependant, update, late }
  }

  test('the later tasks of its entity and its dependants are parked', async () => {
    const { persistence, remote, create } = await parked()
    expect(remote.log).toEqual(['create t1 text', 'create n3 text'])
    const counts: unknown[] = []
    persistence.status$
      .subscribe(({ parked: count, dead, waiting }) => counts.push([count, dead, waiting]))
      .unsubscribe()
    expect(counts).toEqual([[3, 1, 0]])
    const queued: (string | undefined)[] = []
    persistence.queue$.subscribe((tasks) => queued.push(...tasks.map(({ blockedBy }) => blockedBy))).unsubscribe()
    expect(new Set(queued)).toEqual(new Set(queued.length > 0 ? [create.taskId] : []))
    for (const [type, id] of [
      ['tag', 't1'],
      ['note', 'n1'],
      ['note', 'n2'],
    ] as const) {
      expect(await persistence.metadata(type, id)).toMatchObject({ syncStatus: 'error' })
    }
    await pass(100 * hour)
    expect(remote.calls).toHaveLength(2)
  })

  test('retry revives them, in order, with its id for those who depend on it', async () => {
    const remote = new Remote(inTurn(refuses, accepts, () => Promise.resolve({ backendId: 'b7' }), accepts))
    const { persistence, create } = await parked(memoryStore(), remote)
    await persistence.retry(create.taskId)
    await now()
    expect(remote.log.slice(2)).toEqual(['create t1 text', 'create n1 text', 'update t1 new', 'create n2 text'])
    const [, , , n1, t1, n2] = remote.calls
    expect([n1, n2].map((call) => call?.attempt.backendIdOf('tag', 't1'))).toEqual(['b7', 'b7'])
    expect(t1?.attempt.backendId).toBe('b7')
  })

  test('discard ends them discarded, each once', async () => {
    const { persistence, remote, create, dependant, update, late } = await parked()
    const results: unknown[] = []
    persistence.results$.subscribe(({ taskId, status }) => results.push([taskId, status]))
    const discarded = heard(persistence.bus, 'queue:task-discarded')
    await persistence.discard(create.taskId)
    expect(new Set(results)).toEqual(new Set([dependant, update, late].map(({ taskId }) => [taskId, 'discarded'])))
    expect(results).toHaveLength(3)
    expect(discarded.map(({ payload }) => payload.task.id).sort()).toEqual(
      [create, dependant, update, late].map(({ taskId }) => taskId).sort(),
    )
    expect(await Promise.all([dependant, update, late].map(({ settled }) => settled))).toMatchObject([
      { status: 'discarded' },
      { status: 'discarded' },
      { status: 'discarded' },
    ])
    await pass(100 * hour)
    expect(remote.calls).toHaveLength(2)
    expect(lettersOf(persistence)).toEqual([])
    expect(await persistence.metadata('tag', 't1')).toBeUndefined()
  })

  test('a restart keeps them parked', async () => {
    const storage = memoryStore()
    const { persistence, remote, create } = await parked(storage)
    await persistence.close()
    const second = open(remote, { storage })
    await pass(hour)
    expect(remote.calls).toHaveLength(2)
    await second.retry(create.taskId)
    await now()
    expect(remote.log.slice(2)).toEqual(['create t1 text', 'create n1 text', 'update t1 new', 'create n2 text'])
  })

  test('that expired they are parked as well', async () => {
    const online$ = network(false)
    const remote = new Remote()
    const persistence = open(remote, { online$ })
    persistence.created('tag', note('t1'), { maxAge: minute })
    persistence.created('note', note('n1'), { dependsOn: [{ entityType: 'tag', id: 't1' }] })
    await pass(minute)
    online$.next(true)
    await pass(hour)
    expect(remote.calls).toEqual([])
    expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'error' })
  })

  test('whoever depends on what is parked behind it waits with it, and ends with it', async () => {
    const { persistence, remote, create } = await parked()
    const grandchild = persistence.created('note', note('n9'), { dependsOn: [{ entityType: 'note', id: 'n1' }] })
    await pass(hour)
    expect(remote.calls).toHaveLength(2)
    await persistence.discard(create.taskId)
    await now()
    expect(await grandchild.settled).toMatchObject({ status: 'discarded' })
    expect(remote.calls).toHaveLength(2)
  })

  test('a parked create that is discarded, or expires, holds nobody any longer than it has to', async () => {
    const { persistence, remote, create, dependant } = await parked()
    const update = persistence.updated('note', note('n1', 'new'))
    const expiring = persistence.created('note', note('n5'), {
      dependsOn: [{ entityType: 'tag', id: 't1' }],
      maxAge: minute,
    })
    const behindIt = persistence.updated('note', note('n5', 'new'))
    await now()
    await persistence.discard(dependant.taskId)
    await pass(minute)
    expect(await expiring.settled).toMatchObject({ status: 'expired' })
    await persistence.retry(create.taskId)
    await now()
    expect(await update.settled).toMatchObject({ status: 'persisted' })
    expect(remote.log).not.toContain('update n5 new')
    await persistence.discard(expiring.taskId)
    expect(await behindIt.settled).toMatchObject({ status: 'discarded' })
  })

  test('a retry of a later dead letter of it is superseded by nothing that is parked', async () => {
    const remote = new Remote(inTurn(refuses, accepts))
    const persistence = open(remote)
    const create = persistence.created('note', note('n1', 'v1'))
    await now()
    persistence.updated('note', note('n1', 'v2'))
    await now()
    await persistence.retry(create.taskId)
    await now()
    expect(remote.log).toEqual(['create n1 v1', 'create n1 v1', 'update n1 v2'])
  })
})

describe('discard', () => {
  test('of a dead letter removes it without a second outcome', async () => {
    const persistence = open(new Remote(refuses))
    const results: string[] = []
    persistence.results$.subscribe(({ status }) => results.push(status))
    const events = heard(persistence.bus, 'queue:task-discarded', 'queue:task-failed')
    persistence.created('note', note('n1'))
    await now()
    await persistence.discard(letterOf(persistence).id)
    expect(results).toEqual(['failed'])
    expect(events.map(({ name }) => name)).toEqual(['queue:task-failed', 'queue:task-discarded'])
    expect(lettersOf(persistence)).toEqual([])
  })

  test('of a waiting task is its outcome, and is recorded when it resolves', async () => {
    const storage = memoryStore()
    const first = open(new Remote(), { storage, online$: network(false) })
    const receipt = first.created('note', note('n1'))
    await first.discard(receipt.taskId)
    expect(await receipt.settled).toMatchObject({ status: 'discarded' })
    await first.close()
    const remote = new Remote()
    open(remote, { storage })
    await now()
    expect(remote.calls).toEqual([])
  })

  test('of a task in flight is refused', async () => {
    const persistence = open(new Remote(hangs))
    const { taskId } = persistence.created('note', note('n1'))
    await now()
    await expect(persistence.discard(taskId)).rejects.toThrow(/in flight/)
  })

  test('of a create lets nobody hang who depends on it', async () => {
    const online$ = network(false)
    const remote = new Remote()
    const persistence = open(remote, { online$ })
    const create = persistence.created('tag', note('t1'))
    persistence.created('note', note('n1'), { dependsOn: [{ entityType: 'tag', id: 't1' }] })
    await now()
    await persistence.discard(create.taskId)
    online$.next(true)
    await now()
    expect(remote.log).toEqual(['create n1 text'])
  })
})

test('retryAll retries all of them in order, discardAll removes all', async () => {
  const remote = new Remote(inTurn(refuses, refuses, refuses, accepts))
  const persistence = open(remote)
  for (const id of ['n1', 'n2', 'n3']) persistence.created('note', note(id))
  await now()
  await persistence.retryAll()
  await now()
  expect(remote.log.slice(3)).toEqual(['create n1 text', 'create n2 text', 'create n3 text'])
  remote.answer = refuses
  for (const id of ['n4', 'n5']) persistence.created('note', note(id))
  await now()
  expect(lettersOf(persistence)).toHaveLength(2)
  await persistence.discardAll()
  expect(lettersOf(persistence)).toEqual([])
})

test('dead$ tells of each change, frozen, and starts with what is', async () => {
  const persistence = open(new Remote(refuses))
  const seen: (readonly PersistenceTask[])[] = []
  persistence.dead$.subscribe((letters) => seen.push(letters))
  persistence.created('note', note('n1'))
  await now()
  persistence.created('note', note('n2'))
  await now()
  await persistence.discardAll()
  await now()
  expect(seen.map((letters) => letters.map(({ entityId }) => entityId))).toEqual([[], ['n1'], ['n1', 'n2'], []])
  expect(seen.every((letters) => Object.isFrozen(letters) && letters.every((letter) => Object.isFrozen(letter)))).toBe(
    true,
  )
})
