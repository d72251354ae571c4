import { memoryStore, NetworkError } from 'rx-outbox'
import { expect, test } from 'vitest'
import { hour, minute, now, pass, start, useFakeTime } from '../../support/fakeTime.ts'
import { heard, network, open } from '../../support/opened.ts'
import { accepts, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

test('a day without network ends with everything delivered once, in order', async () => {
  const remote = new Remote()
  const online$ = network(false)
  const persistence = open(remote, { online$ })
  const { bus } = persistence
  const expired = heard(bus, 'queue:task-expired', 'entity:expired')
  bus.emit('entity:created', { entityType: 'note', data: note('n1', 'morning') })
  await pass(2 * hour)
  bus.emit('entity:updated', { entityType: 'note', data: note('n1', 'at ten') })
  bus.emit('entity:created', { entityType: 'tag', data: note('t1', 'ephemeral'), maxAge: hour })
  await pass(hour - 1)
  expect(expired).toEqual([])
  await pass(1)
  expect(expired.map(({ name }) => name).sort()).toEqual(['entity:expired', 'queue:task-expired'])
  bus.emit('entity:created', { entityType: 'note', data: note('n2', 'at eleven') })
  await pass(hour)
  bus.emit('entity:updated', { entityType: 'note', data: note('n2', 'at noon') })
  bus.emit('entity:updated', { entityType: 'note', data: note('n1', 'at noon') })
  bus.emit('entity:created', { entityType: 'note', data: note('n3', 'a mistake') })
  await pass(minute)
  bus.emit('entity:deleted', { entityType: 'note', id: 'n3' })
  bus.emit('entity:created', { entityType: 'note', data: note('n4', 'urgent'), priority: 5 })
  await pass(12 * hour)
  expect(remote.calls).toEqual([])
  await persistence.idle()
  online$.next(true)
  await now()
  await persistence.idle()
  expect(remote.log).toEqual(['create n4 urgent', 'create n1 at noon', 'create n2 at noon'])
  expect(remote.calls.map(({ attempt }) => attempt.attempt)).toEqual([1, 1, 1])
  await pass(24 * hour)
  expect(remote.calls).toHaveLength(3)
  expect(await persistence.metadata('note')).toMatchObject(
    new Map(['n1', 'n2', 'n4'].map((id) => [id, { syncStatus: 'synced', retryCount: 0 }])),
  )
})

test('the app may be closed and opened on the way', async () => {
  const remote = new Remote()
  const storage = memoryStore()
  const online$ = network(false)
  let persistence = open(remote, { online$, storage })
  for (let hours = 0; hours < 24; hours++) {
    const id = `n${hours % 3}`
    if (hours < 3) persistence.created('note', note(id, `hour ${hours}`))
    else persistence.updated('note', note(id, `hour ${hours}`))
    await pass(hour)
    if (hours % 5 !== 0) continue
    await persistence.close()
    persistence = open(remote, { online$, storage })
    await now()
  }
  online$.next(true)
  await pass(hour)
  expect(remote.log).toEqual(['create n0 hour 21', 'create n1 hour 22', 'create n2 hour 23'])
})

test('tasks that expire while the app is offline and was started anew expire at their time', async () => {
  const storage = memoryStore()
  const online$ = network(false)
  const remote = new Remote()
  const first = open(remote, { online$, storage })
  await first.created('note', note('n1'), { expiresAt: start + 5 * hour }).durable
  await first.close()
  await pass(hour)
  const second = open(remote, { online$, storage })
  const expired = heard(second.bus, 'queue:task-expired')
  await pass(4 * hour - 1)
  expect(expired).toEqual([])
  await pass(1)
  expect(expired).toHaveLength(1)
})

test('an attempt that fails because the network went away costs nothing', async () => {
  const online$ = network(true)
  const remote = new Remote(
    inTurn(() => {
      online$.next(false)
      return Promise.reject(new NetworkError('gone'))
    }, accepts),
  )
  const persistence = open(remote, { online$ })
  const receipt = persistence.created('note', note('n1'))
  await pass(10 * hour)
  expect(remote.calls).toHaveLength(1)
  online$.next(true)
  await now()
  expect(await receipt.settled).toMatchObject({ status: 'persisted', task: { retryCount: 0 } })
})

test('status$ tells what waits for the network from what could go', async () => {
  const online$ = network(false)
  const persistence = open(new Remote(), { online$ })
  const seen: unknown[] = []
  persistence.status$.subscribe(({ online, pending, waiting }) => seen.push({ online, pending, waiting }))
  persistence.created('note', note('n1'))
  await now()
  expect(seen.at(-1)).toEqual({ online: false, pending: 0, waiting: 1 })
  online$.next(true)
  await now()
  expect(seen.at(-1)).toEqual({ online: true, pending: 0, waiting: 0 })
})
