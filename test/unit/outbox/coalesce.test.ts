import * as fc from 'fast-check'
import { coalesce, NetworkError, PermanentError } from 'rx-outbox'
import { of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import type { Operation } from '../../../lib/types.ts'
import { minute, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { accepts, fails, hangs, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

interface Change {
  operation: Operation
  rev: number
}

/** Changes of one entity as an app can make them: created when it is not there, else changed or deleted. */
const changes = fc.tuple(fc.boolean(), fc.array(fc.boolean(), { maxLength: 20, size: 'max' })).map(([there, ends]) => {
  let isThere = there
  const made = ends.map((end, rev): Change => {
    const operation = !isThere ? 'create' : end ? 'delete' : 'update'
    isThere = operation !== 'delete'
    return { operation, rev }
  })
  return { there, made }
})

/** What a remote holds of the entity, which refuses what makes no sense. */
function held(there: boolean, sent: Change[]): number | undefined {
  return sent.reduce<number | undefined>(
    (row, { operation, rev }) => {
      if ((operation === 'create') === (row !== undefined)) throw new RangeError(`${operation} of ${row}`)
      return operation === 'delete' ? undefined : rev
    },
    there ? -1 : undefined,
  )
}

/** A queue that joins each change with the one before it. */
function joined(made: Change[]): Change[] {
  const queue: Change[] = []
  for (const change of made) {
    const older = queue.at(-1)
    const operation = older && coalesce(older.operation, change.operation)
    if (operation === undefined) queue.push(change)
    else if (operation === 'nothing') queue.pop()
    else queue.splice(-1, 1, { operation, rev: change.rev })
  }
  return queue
}

describe('coalesce', () => {
  test('leaves a remote as all changes one after the other would', () => {
    fc.assert(
      fc.property(changes, ({ there, made }) => {
        expect(held(there, joined(made))).toBe(held(there, made))
      }),
      { numRuns: 500 },
    )
  })

  test('leaves two changes at most, of which only the first takes something away', () => {
    fc.assert(
      fc.property(changes, ({ made }) => {
        const operations = joined(made).map(({ operation }) => operation)
        expect(['', 'create', 'update', 'delete', 'delete,create']).toContain(operations.join())
      }),
      { numRuns: 500 },
    )
  })

  test.each<[Operation, Operation]>([
    ['delete', 'create'],
    ['delete', 'update'],
    ['delete', 'delete'],
    ['create', 'create'],
    ['update', 'create'],
  ])('keeps %s and %s apart', (older, newer) => {
    expect(coalesce(older, newer)).toBeUndefined()
  })
})

/** A remote that gives ids, and an outbox of notes that is offline. */
async function offlineWith(remote: Remote) {
  const online$ = network(true)
  const persistence = open(remote, { online$ })
  persistence.created('note', note('n1'))
  persistence.created('tag', note('t1'))
  await now()
  online$.next(false)
  return { persistence, online$ }
}

describe('a task that two became', () => {
  test('is given the ids of what either depended on', async () => {
    const remote = new Remote(({ id }) => of({ backendId: `b-${id}` }))
    const { persistence, online$ } = await offlineWith(remote)
    persistence.updated('note', note('n1', 'a'), { dependsOn: [{ entityType: 'note', id: 'n0' }] })
    persistence.updated('note', note('n1', 'b'), { dependsOn: [{ entityType: 'tag', id: 't1' }] })
    await now()
    online$.next(true)
    await now()
    expect(remote.log.slice(2)).toEqual(['update n1 b'])
    expect(remote.calls.at(-1)?.attempt.backendIdOf('tag', 't1')).toBe('b-t1')
  })

  test('of a create and a delete is still sent where the remote has the entity', async () => {
    let refusals = 1
    const remote = new Remote(({ operation }) =>
      operation === 'delete' && refusals-- > 0 ? fails(() => new PermanentError('no'))() : of({ backendId: 'b1' }),
    )
    const { persistence, online$ } = await offlineWith(remote)
    online$.next(true)
    persistence.deleted('note', 'n1')
    await now()
    online$.next(false)
    persistence.created('note', note('n1', 'again'))
    persistence.deleted('note', 'n1')
    await now()
    online$.next(true)
    await now()
    expect(remote.log.slice(2)).toEqual(['delete n1', 'delete n1'])
    expect(remote.calls.at(-1)?.attempt.backendId).toBe('b1')
  })

  test('of a create and a delete forgets nothing of what a delete before it needs', async () => {
    const remote = new Remote(() => of({ backendId: 'b1' }))
    const { persistence, online$ } = await offlineWith(remote)
    persistence.deleted('note', 'n1')
    persistence.created('note', note('n1', 'again'))
    persistence.deleted('note', 'n1')
    await now()
    online$.next(true)
    await now()
    expect(remote.log.slice(2)).toEqual(['delete n1'])
    expect(remote.calls.at(-1)?.attempt.backendId).toBe('b1')
  })

  test('never jumps over a dead letter, which a retry would bring back behind it', async () => {
    const remote = new Remote()
    const { persistence, online$ } = await offlineWith(remote)
    persistence.created('note', note('n2', 'a'))
    await now()
    // It depends on something that is not done, so it does not join the create, and runs out of time.
    persistence.created('tag', note('t2'))
    const late = persistence.updated('note', note('n2', 'b'), {
      maxAge: minute,
      dependsOn: [{ entityType: 'tag', id: 't2' }],
    })
    await pass(2 * minute)
    persistence.updated('note', note('n2', 'c'))
    await persistence.retry(late.taskId)
    await now()
    online$.next(true)
    await pass(minute)
    expect(remote.log.slice(2)).toEqual(['create n2 a', 'create t2 text', 'update n2 c'])
  })
})

describe('a dead letter that is retried', () => {
  test('gives way to a later one of its entity that may have been applied', async () => {
    const remote = new Remote(
      inTurn(
        fails(() => new PermanentError('no')),
        fails(() => new NetworkError('lost')),
        accepts,
      ),
    )
    const persistence = open(remote, { retryConfig: { maxRetries: 0 } })
    const older = persistence.updated('note', note('n1', 'a'))
    await now()
    const newer = persistence.updated('note', note('n1', 'b'))
    await now()
    const ends: unknown[] = []
    persistence.results$.subscribe(({ task, status }) => ends.push([task.retryOf, status]))
    await persistence.retryAll()
    await now()
    expect(ends).toEqual([
      [older.taskId, 'superseded'],
      [newer.taskId, 'persisted'],
    ])
    expect(remote.log).toEqual(['update n1 a', 'update n1 b', 'update n1 b'])
    expect(remote.calls[2]?.attempt.idempotencyKey).toBe(remote.calls[1]?.attempt.idempotencyKey)
  })

  test('gives way to a create of its entity that is in flight, or may have been applied', async () => {
    for (const answer of [hangs, fails(() => new NetworkError('lost'))]) {
      const remote = new Remote(
        inTurn(
          fails(() => new PermanentError('no')),
          answer,
          accepts,
        ),
      )
      const persistence = open(remote)
      const deletion = persistence.deleted('note', 'n1')
      await now()
      persistence.created('note', note('n1', 'again'))
      await now()
      await persistence.retry(deletion.taskId)
      await pass(10 * minute)
      expect(remote.log).toEqual(['delete n1', 'create n1 again', 'create n1 again'])
    }
  })

  test('goes before whoever depends on it and has not gone yet', async () => {
    const remote = new Remote(
      inTurn(
        fails(() => new PermanentError('no')),
        accepts,
      ),
    )
    const online$ = network(true)
    const persistence = open(remote, { online$ })
    const letter = persistence.updated('tag', note('t1', 'a'))
    await now()
    online$.next(false)
    persistence.created('note', note('n1'), { priority: 9, dependsOn: [{ entityType: 'tag', id: 't1' }] })
    await persistence.retry(letter.taskId)
    online$.next(true)
    await now()
    expect(remote.log).toEqual(['update t1 a', 'update t1 a', 'create n1 text'])
  })
})

test('the oldest goes after maxOvertakes, also behind more urgent ones than are marked ahead', async () => {
  const online$ = network(false)
  const remote = new Remote()
  const persistence = open(remote, { online$, maxOvertakes: 300 })
  persistence.created('note', note('patient'), { priority: -1 })
  for (let i = 0; i < 700; i++) persistence.created('note', note(`urgent ${i}`), { priority: 1 })
  await now()
  online$.next(true)
  await pass(minute)
  const ids = remote.calls.map(({ id }) => id)
  expect(ids.indexOf('patient')).toBe(300)
  expect(ids).toHaveLength(701)
})
