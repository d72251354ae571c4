import { memoryStore, PermanentError } from 'rx-outbox'
import { of, throwError } from 'rxjs'
import { expect, test } from 'vitest'
import { hour, pass, second, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

useFakeTime()

test('over a wild life every task ends exactly once, and the count is never lost', async () => {
  let seed = 7
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed / 2_147_483_647
  }
  const remote = new Remote(() => {
    const chance = random()
    if (chance < 0.1) return throwError(() => new PermanentError('no'))
    if (chance < 0.3) return throwError(() => new Error('busy'))
    return of({})
  })
  const storage = memoryStore()
  const online$ = network(true)
  const ends = new Map<string, string[]>()
  const taken = new Set<string>()
  const errors: unknown[] = []
  let persistence = opened()

  function opened() {
    const next = open(remote, { storage, online$, concurrency: 3 })
    next.errors$.subscribe((error) => errors.push(error))
    next.bus.on('queue:task-enqueued', ({ task }) => void taken.add(task.id))
    next.results$.subscribe(({ taskId, status }) => {
      if (status !== 'retrying') ends.set(taskId, [...(ends.get(taskId) ?? []), status])
    })
    return next
  }

  for (let step = 0; step < 400; step++) {
    const id = `n${Math.floor(random() * 12)}`
    const options = {
      priority: Math.floor(random() * 3),
      ...(random() < 0.2 && { maxAge: Math.floor(random() * 100) * second }),
      ...(random() < 0.2 && { dependsOn: [{ entityType: 'note', id: `n${Math.floor(random() * 12)}` }] }),
    }
    const chance = random()
    if (chance < 0.3) persistence.created('note', note(id), options)
    else if (chance < 0.7) persistence.updated('note', note(id, `v${step}`), options)
    else if (chance < 0.8) persistence.deleted('note', id, options)
    else if (chance < 0.85) online$.next(random() < 0.7)
    else if (chance < 0.9) void persistence.retryAll()
    else if (chance < 0.93) void persistence.discardAll()
    else if (chance < 0.95) {
      await persistence.close()
      persistence = opened()
    }
    await pass(Math.floor(random() * 20) * second)
  }
  online$.next(true)
  remote.answer = () => of({})
  await pass(24 * hour)
  await persistence.retryAll()
  await pass(24 * hour)
  expect(errors).toEqual([])
  const twice = [...ends].filter(([, statuses]) => statuses.length > 1)
  expect(twice).toEqual([])
  const without = [...taken].filter((id) => !ends.has(id))
  expect(without).toEqual([])
  const counts: unknown[] = []
  persistence.status$.subscribe(({ pending, processing, waiting, parked, dead }) => {
    counts.push({ pending, processing, waiting, parked, dead })
  })
  expect(counts.at(-1)).toEqual({ pending: 0, processing: 0, waiting: 0, parked: 0, dead: 0 })
})
