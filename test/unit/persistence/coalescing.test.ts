import { memoryStore } from 'rx-outbox'
import { NEVER, of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { hour, minute, now, pass, start, useFakeTime } from '../../support/fakeTime.ts'
import { heard, network, open } from '../../support/opened.ts'
import { fails, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

type Said = 'created' | 'updated' | 'deleted'

/** Says it offline, goes online, and tells what was sent and how each task ended. */
async function sent(...said: Said[]) {
  const online$ = network(false)
  const remote = new Remote()
  const persistence = open(remote, { online$ })
  const ends: string[] = []
  persistence.results$.subscribe(({ status }) => ends.push(status))
  for (const [i, what] of said.entries()) {
    if (what === 'deleted') persistence.deleted('note', 'n1')
    else persistence[what]('note', note('n1', `v${i}`))
  }
  await now()
  online$.next(true)
  await now()
  return { log: remote.log, ends }
}

describe('unmarked tasks of one entity become', () => {
  test.each<[Said[], string[], string[]]>([
    [['created', 'updated'], ['create n1 v1'], ['superseded', 'persisted']],
    [['updated', 'updated'], ['update n1 v1'], ['superseded', 'persisted']],
    [['updated', 'deleted'], ['delete n1'], ['superseded', 'persisted']],
    [['created', 'deleted'], [], ['superseded', 'persisted']],
    [['created', 'updated', 'deleted'], [], ['superseded', 'superseded', 'persisted']],
    [['updated', 'updated', 'deleted'], ['delete n1'], ['superseded', 'superseded', 'persisted']],
    [
      ['deleted', 'created'],
      ['delete n1', 'create n1 v1'],
      ['persisted', 'persisted'],
    ],
    [
      ['deleted', 'created', 'updated'],
      ['delete n1', 'create n1 v2'],
      ['superseded', 'persisted', 'persisted'],
    ],
    [['created', 'deleted', 'created'], ['create n1 v2'], ['superseded', 'persisted', 'persisted']],
    [['deleted', 'created', 'deleted'], ['delete n1'], ['superseded', 'persisted', 'persisted']],
  ])('%j: %j', async (said, log, ends) => {
    const outcome = await sent(...said)
    expect(outcome.log).toEqual(log)
    expect(outcome.ends.sort()).toEqual([...ends].sort())
  })
})

test('the merged task is the newer one in the older’s place, with the higher priority', async () => {
  const online$ = network(false)
  const remote = new Remote()
  const persistence = open(remote, { online$ })
  persistence.created('note', note('n1', 'a'), { priority: 5 })
  persistence.created('note', note('n2'), { priority: 5 })
  const newer = persistence.updated('note', note('n1', 'b'), { priority: 1 })
  await pass(16)
  const shown: unknown[] = []
  persistence.queue$
    .subscribe((tasks) =>
      shown.push(...tasks.map(({ id, entityId, priority }) => [id === newer.taskId, entityId, priority])),
    )
    .unsubscribe()
  expect(shown).toEqual([
    [true, 'n1', 5],
    [false, 'n2', 5],
  ])
  online$.next(true)
  await now()
  expect(remote.log).toEqual(['create n1 b', 'create n2 text'])
})

test('what is marked is never merged: what comes later is sent after it', async () => {
  const remote = new Remote(
    inTurn(
      () => NEVER,
      () => of({}),
    ),
  )
  const persistence = open(remote, { attemptTimeout: minute, retryConfig: { initialDelay: minute } })
  persistence.created('note', note('n1', 'a'))
  await now()
  persistence.updated('note', note('n1', 'b'))
  persistence.updated('note', note('n1', 'c'))
  await pass(3 * minute)
  expect(remote.log).toEqual(['create n1 a', 'create n1 a', 'update n1 c'])
})

test('what failed once is not merged: its input is frozen', async () => {
  const remote = new Remote(
    inTurn(
      fails(() => new Error('busy')),
      () => of({}),
    ),
  )
  const persistence = open(remote)
  persistence.updated('note', note('n1', 'a'))
  await now()
  persistence.deleted('note', 'n1')
  await pass(3 * minute)
  expect(remote.log).toEqual(['update n1 a', 'update n1 a', 'delete n1'])
})

test('a strategy’s own coalesce joins two changes', async () => {
  const online$ = network(false)
  const remote = Object.assign(new Remote(), {
    coalesce: (older: { text: string }, newer: { id: string; text: string }) => ({
      ...newer,
      text: `${older.text}+${newer.text}`,
    }),
  })
  const persistence = open(remote, { online$ })
  for (const text of ['a', 'b', 'c']) persistence.updated('note', note('n1', text))
  await now()
  online$.next(true)
  await now()
  expect(remote.log).toEqual(['update n1 a+b+c'])
})

test('a coalesce that throws, or makes what cannot be stored, is reported: both are sent', async () => {
  const bad = [
    () => {
      throw new Error('bug')
    },
    () => Object.assign(note('n1'), { run: () => 1 }),
  ]
  for (const coalesce of bad) {
    const online$ = network(false)
    const remote = Object.assign(new Remote(), { coalesce })
    const persistence = open(remote, { online$ })
    const errors: unknown[] = []
    persistence.errors$.subscribe((error) => errors.push(error))
    persistence.updated('note', note('n1', 'a'))
    persistence.updated('note', note('n1', 'b'))
    await now()
    online$.next(true)
    await now()
    expect(remote.log).toEqual(['update n1 a', 'update n1 b'])
    expect(errors).toHaveLength(1)
  }
})

test('a restart sends what was merged, in its place', async () => {
  const storage = memoryStore()
  const first = open(new Remote(), { storage, online$: network(false) })
  first.created('note', note('n1', 'a'))
  first.created('note', note('n2'))
  first.updated('note', note('n1', 'b'), { maxAge: hour })
  first.created('note', note('n3'))
  first.deleted('note', 'n3')
  await first.idle()
  await first.close()
  const remote = new Remote()
  const second = open(remote, { storage })
  const processing = heard(second.bus, 'queue:task-processing')
  await now()
  expect(remote.log).toEqual(['create n1 b', 'create n2 text'])
  expect(processing[0]?.payload).toMatchObject({ task: { expiresAt: start + hour, maxAge: hour } })
})
