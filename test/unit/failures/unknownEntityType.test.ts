import { createPersistence, memoryStore, PersistenceError } from 'rx-outbox'
import { onTestFinished, expect, test } from 'vitest'
import { hour, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { note, type Note, Remote } from '../../support/remote.ts'

useFakeTime()

test('an event of a type without a strategy is stored, parked and reported; others are delivered', async () => {
  const remote = new Remote()
  const persistence = open(remote)
  const errors: unknown[] = []
  persistence.errors$.subscribe((error) => errors.push(error))
  Reflect.apply(persistence.bus.emit, persistence.bus, ['entity:created', { entityType: 'car', data: { id: 'c1' } }])
  persistence.created('note', note('n1'))
  await pass(hour)
  expect(remote.log).toEqual(['create n1 text'])
  expect(errors[0]).toBeInstanceOf(PersistenceError)
  expect(String(errors[0])).toMatch(/car/)
  const counts: unknown[] = []
  persistence.status$.subscribe(({ parked, pending, waiting }) => counts.push([parked, pending, waiting])).unsubscribe()
  expect(counts).toEqual([[1, 0, 0]])
})

test('tasks of a type that the app no longer knows are parked, reported, and delivered when it is back', async () => {
  const storage = memoryStore()
  const online$ = network(false)
  const first = open(new Remote(), { storage, online$ })
  await first.created('tag', note('t1')).durable
  await first.close()
  const notes = createPersistence<{ note: Note }>({ strategies: { note: new Remote() }, options: { storage } })
  onTestFinished(() => notes.close())
  const errors: unknown[] = []
  notes.errors$.subscribe((error) => errors.push(error))
  await pass(hour)
  expect(String(errors[0])).toMatch(/tag/)
  await notes.idle()
  await notes.close()
  const remote = new Remote()
  open(remote, { storage })
  await now()
  expect(remote.log).toEqual(['create t1 text'])
})

test('they can be discarded, and expire', async () => {
  const storage = memoryStore()
  const first = open(new Remote(), { storage, online$: network(false) })
  const discarded = first.created('tag', note('t1'))
  first.created('tag', note('t2'), { maxAge: hour })
  await first.idle()
  await first.close()
  const notes = createPersistence<{ note: Note }>({ strategies: { note: new Remote() }, options: { storage } })
  onTestFinished(() => notes.close())
  const results: string[] = []
  notes.results$.subscribe(({ id, status }) => results.push(`${id} ${status}`))
  await notes.discard(discarded.taskId)
  await pass(hour)
  expect(results).toEqual(['t1 discarded', 't2 expired'])
})
