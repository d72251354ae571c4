import { memoryStore } from 'rx-outbox'
import { NEVER, of } from 'rxjs'
import { expect, test } from 'vitest'
import { now, pass, minute, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { fails, note, Remote } from '../../support/remote.ts'

useFakeTime()

const onTag = { dependsOn: [{ entityType: 'tag', id: 't1' }] }

test('a task waits until the tasks of those it depends on have ended, and nobody else waits', async () => {
  const remote = new Remote(({ id, attempt }) =>
    id === 't1' && attempt.attempt === 1 ? fails(() => new Error('busy'))() : of({}),
  )
  const persistence = open(remote)
  persistence.created('tag', note('t1'))
  persistence.created('note', note('n1'), onTag)
  persistence.created('note', note('n2'))
  await now()
  expect(remote.log).toEqual(['create t1 text', 'create n2 text'])
  await pass(3 * minute)
  expect(remote.log).toEqual(['create t1 text', 'create n2 text', 'create t1 text', 'create n1 text'])
})

test("the strategy is given the backend's ids of those it depends on, known before or only just", async () => {
  const remote = new Remote(({ id }) => Promise.resolve({ backendId: `b-${id}` }))
  const persistence = open(remote)
  persistence.created('tag', note('t0'))
  await now()
  persistence.created('tag', note('t1'))
  persistence.created('note', note('n1'), {
    dependsOn: ['t0', 't1', 't2'].map((id) => ({ entityType: 'tag', id })),
  })
  await pass(0)
  await now()
  const last = remote.calls.at(-1)
  expect(last?.id).toBe('n1')
  expect(['t0', 't1', 't2', 't3'].map((id) => last?.attempt.backendIdOf('tag', id))).toEqual([
    'b-t0',
    'b-t1',
    undefined,
    undefined,
  ])
})

test('those ids are frozen with the rest of the input: they survive a restart, and every attempt gets the same', async () => {
  const storage = memoryStore()
  const remote = new Remote(({ id }) => (id === 't1' ? of({ backendId: 'b1' }) : NEVER))
  const first = open(remote, { storage })
  first.created('tag', note('t1'))
  first.created('note', note('n1'), onTag)
  await now()
  await first.close()
  remote.answer = () => of({})
  open(remote, { storage })
  await now()
  const [, before, after] = remote.calls
  expect([before, after].map((call) => call?.attempt.backendIdOf('tag', 't1'))).toEqual(['b1', 'b1'])
  expect(after?.attempt.idempotencyKey).toBe(before?.attempt.idempotencyKey)
})

test('it points back only: what is not here yet is not waited for', async () => {
  const remote = new Remote()
  const persistence = open(remote)
  persistence.created('note', note('n1'), onTag)
  persistence.created('tag', note('t1'))
  await now()
  expect(remote.log).toEqual(['create n1 text', 'create t1 text'])
})

test('two that name each other do not wait for ever', async () => {
  const online$ = network(false)
  const remote = new Remote()
  const persistence = open(remote, { online$ })
  persistence.created('tag', note('t1'), { dependsOn: [{ entityType: 'note', id: 'n1' }] })
  persistence.created('note', note('n1'), onTag)
  persistence.updated('tag', note('t1', 'new'), { dependsOn: [{ entityType: 'note', id: 'n1' }] })
  persistence.created('note', note('n2'), { dependsOn: [{ entityType: 'note', id: 'n2' }] })
  await now()
  online$.next(true)
  await now()
  expect(remote.log).toEqual(['create t1 text', 'create n1 text', 'update t1 new', 'create n2 text'])
})

test('a dependency inherits the priority of who waits for it, also through others', async () => {
  const online$ = network(false)
  const remote = new Remote()
  const persistence = open(remote, { online$ })
  persistence.created('note', note('ordinary'), { priority: 1 })
  persistence.created('tag', note('t1'))
  persistence.created('note', note('n1'), onTag)
  persistence.created('note', note('urgent'), { priority: 9, dependsOn: [{ entityType: 'note', id: 'n1' }] })
  await now()
  online$.next(true)
  await now()
  expect(remote.log).toEqual(['create t1 text', 'create n1 text', 'create urgent text', 'create ordinary text'])
})

test('the priority is given back when who waited is discarded', async () => {
  const online$ = network(false)
  const remote = new Remote()
  const persistence = open(remote, { online$ })
  persistence.created('note', note('ordinary'), { priority: 1 })
  persistence.created('tag', note('t1'))
  const urgent = persistence.created('note', note('urgent'), { ...onTag, priority: 9 })
  await now()
  await persistence.discard(urgent.taskId)
  online$.next(true)
  await now()
  expect(remote.log).toEqual(['create ordinary text', 'create t1 text'])
})

test('a restart keeps who waits for whom', async () => {
  const storage = memoryStore()
  const online$ = network(false)
  const remote = new Remote()
  const first = open(remote, { storage, online$ })
  first.created('tag', note('t1'))
  await first.created('note', note('n1'), { ...onTag, priority: 9 }).durable
  await first.close()
  open(remote, { storage, online$ })
  await now()
  online$.next(true)
  await now()
  expect(remote.log).toEqual(['create t1 text', 'create n1 text'])
})

test('a task is not merged into an older one that does not wait for the same', async () => {
  const online$ = network(false)
  const remote = new Remote()
  const persistence = open(remote, { online$ })
  persistence.created('note', note('n1', 'old'))
  persistence.created('tag', note('t1'))
  persistence.updated('note', note('n1', 'new'), onTag)
  await now()
  online$.next(true)
  await now()
  expect(remote.log).toEqual(['create n1 old', 'create t1 text', 'update n1 new'])
})

test('whoever depended on a task depends on the one that it was merged into', async () => {
  const online$ = network(false)
  const remote = new Remote(({ id, attempt }) =>
    id === 't1' && attempt.attempt === 1 ? fails(() => new Error('busy'))() : of({}),
  )
  const persistence = open(remote, { online$ })
  persistence.created('tag', note('t1'))
  persistence.created('note', note('n1'), onTag)
  persistence.updated('tag', note('t1', 'new'))
  await now()
  online$.next(true)
  await pass(3 * minute)
  expect(remote.log).toEqual(['create t1 new', 'create t1 new', 'create n1 text'])
})

test('what waits for a dependency is waiting in status$, not pending', async () => {
  const persistence = open(new Remote(() => NEVER))
  persistence.created('tag', note('t1'))
  persistence.created('note', note('n1'), onTag)
  await now()
  const seen: unknown[] = []
  persistence.status$.subscribe(({ pending, processing, waiting }) => seen.push({ pending, processing, waiting }))
  expect(seen).toEqual([{ pending: 0, processing: 1, waiting: 1 }])
})
