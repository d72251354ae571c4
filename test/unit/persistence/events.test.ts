import { createEventBus, type OutboxEvents, PermanentError } from 'rx-outbox'
import { expect, test } from 'vitest'
import { hour, minute, now, pass, start, useFakeTime } from '../../support/fakeTime.ts'
import { type Entities, heard, network, open } from '../../support/opened.ts'
import { accepts, fails, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

const everything: (keyof OutboxEvents<Entities>)[] = [
  'entity:created',
  'entity:updated',
  'entity:deleted',
  'entity:persisted',
  'entity:persist-error',
  'entity:update-error',
  'entity:delete-error',
  'entity:expired',
  'entity:conflict',
  'entity:remote-changed',
  'queue:task-enqueued',
  'queue:task-processing',
  'queue:task-completed',
  'queue:task-failed',
  'queue:task-retrying',
  'queue:task-expired',
  'queue:task-superseded',
  'queue:task-discarded',
  'auth:required',
  'storage:degraded',
  'storage:recovered',
  'storage:lost',
]

const names = (events: { name: string }[]) => events.map(({ name }) => name)

test('a create that succeeds', async () => {
  const persistence = open(new Remote(() => Promise.resolve({ backendId: 'b1' })))
  const events = heard(persistence.bus, ...everything)
  persistence.bus.emit('entity:created', { entityType: 'note', data: note('n1') })
  await now()
  expect(names(events)).toEqual([
    'entity:created',
    'queue:task-enqueued',
    'queue:task-processing',
    'entity:persisted',
    'queue:task-completed',
  ])
  const [, enqueued, , persisted, completed] = events
  expect(enqueued?.payload).toMatchObject({
    task: {
      owner: '',
      entityType: 'note',
      entityId: 'n1',
      operation: 'create',
      data: note('n1'),
      priority: 0,
      createdAt: start,
      retryCount: 0,
      maxRetries: 3,
      schemaVersion: 1,
    },
  })
  expect(persisted?.payload).toMatchObject({
    entityType: 'note',
    id: 'n1',
    operation: 'create',
    data: note('n1'),
    metadata: { syncStatus: 'synced', backendId: 'b1' },
  })
  expect(Reflect.get(persisted?.payload ?? {}, 'taskId')).toBe(Reflect.get(completed?.payload ?? {}, 'task').id)
})

test.each([
  ['created', 'entity:persist-error'],
  ['updated', 'entity:update-error'],
  ['deleted', 'entity:delete-error'],
] as const)('a failed attempt of a task that was %s is told as %s, each time', async (said, name) => {
  const persistence = open(new Remote(fails(() => new Error('broken'))), { retryConfig: { maxRetries: 1 } })
  const events = heard(persistence.bus, ...everything)
  if (said === 'deleted') persistence.deleted('note', 'n1')
  else persistence[said]('note', note('n1'))
  await pass(hour)
  expect(names(events)).toEqual([
    'queue:task-enqueued',
    'queue:task-processing',
    name,
    'queue:task-retrying',
    'queue:task-processing',
    name,
    'queue:task-failed',
  ])
  const error = { category: 'unknown', message: 'broken' }
  expect(events[2]?.payload).toMatchObject({ error, willRetry: true, retryAt: start + 3 * minute })
  expect(events[3]?.payload).toMatchObject({ task: { retryCount: 1, retryAt: start + 3 * minute, error } })
  expect(events[5]?.payload).toMatchObject({ error, willRetry: false, metadata: { syncStatus: 'error' } })
  expect(events[5]?.payload).not.toHaveProperty('retryAt')
  expect(events[6]?.payload).toMatchObject({ task: { outcome: 'failed', error } })
})

test('a task that another one supersedes, and one that is discarded', async () => {
  const persistence = open(new Remote(), { online$: network(false) })
  const events = heard(persistence.bus, ...everything)
  persistence.created('note', note('n1', 'a'))
  const later = persistence.updated('note', note('n1', 'b'))
  await now()
  await persistence.discard(later.taskId)
  expect(names(events)).toEqual([
    'queue:task-enqueued',
    'queue:task-enqueued',
    'queue:task-superseded',
    'queue:task-discarded',
  ])
})

test('of a delete there is no data', async () => {
  const persistence = open(new Remote())
  const events = heard(persistence.bus, 'entity:persisted', 'queue:task-completed')
  persistence.bus.emit('entity:deleted', { entityType: 'note', data: note('n1') })
  await now()
  expect(events[0]?.payload).toMatchObject({ id: 'n1', operation: 'delete', metadata: { syncStatus: 'synced' } })
  expect(events[0]?.payload).not.toHaveProperty('data')
})

test('results$ tells every outcome and every failed attempt', async () => {
  const remote = new Remote(
    inTurn(
      fails(() => new Error('broken')),
      accepts,
      fails(() => new PermanentError('no')),
    ),
  )
  const persistence = open(remote)
  const results: unknown[] = []
  persistence.results$.subscribe(({ id, operation, status }) => results.push([id, operation, status]))
  persistence.created('note', note('n1'))
  await pass(3 * minute)
  persistence.updated('note', note('n1', 'new'))
  await now()
  expect(results).toEqual([
    ['n1', 'create', 'retrying'],
    ['n1', 'create', 'persisted'],
    ['n1', 'update', 'failed'],
  ])
})

test('envelopes and tasks are frozen, data is a copy of one’s own', async () => {
  const persistence = open(new Remote())
  const events = heard(persistence.bus, 'queue:task-enqueued', 'entity:persisted')
  const results: { task: { data?: unknown } }[] = []
  persistence.results$.subscribe((result) => results.push(result))
  persistence.created('note', note('n1'))
  await now()
  for (const { payload } of events) expect(Object.isFrozen(payload)).toBe(true)
  const task = Reflect.get(events[0]?.payload ?? {}, 'task')
  expect(Object.isFrozen(task)).toBe(true)
  expect(Object.isFrozen(task.data)).toBe(false)
  task.data.text = 'mine now'
  expect(results[0]?.task.data).toEqual(note('n1'))
  expect(Object.isFrozen(results[0])).toBe(true)
})

test('a handler may emit and use the outbox at once', async () => {
  const bus = createEventBus<Entities>()
  const remote = new Remote()
  const persistence = open(remote, { bus })
  bus.on('entity:persisted', ({ operation }) => {
    if (operation === 'create') bus.emit('entity:updated', { entityType: 'note', data: note('n1', 'again') })
    if (operation === 'update') persistence.deleted('note', 'n1')
  })
  bus.emit('entity:created', { entityType: 'note', data: note('n1') })
  await now()
  await persistence.idle()
  expect(remote.log).toEqual(['create n1 text', 'update n1 again', 'delete n1'])
})

test('queue$ shows what waits and is in flight in delivery order, at most once in 16 ms', async () => {
  const online$ = network(false)
  const persistence = open(new Remote(), { online$ })
  const seen: string[][] = []
  persistence.queue$.subscribe((tasks) => seen.push(tasks.map(({ entityId }) => entityId)))
  for (let i = 0; i < 5; i++) {
    persistence.created('note', note(`n${i}`), { priority: i % 2 })
    await pass(2)
  }
  expect(seen).toEqual([[]])
  await pass(16)
  expect(seen).toEqual([[], ['n1', 'n3', 'n0', 'n2', 'n4']])
})
