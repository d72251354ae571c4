import { memoryStore, PermanentError, StorageError } from 'rx-outbox'
import { expect, onTestFinished, test } from 'vitest'
import { now, pass, minute, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { fails, note, Remote } from '../../support/remote.ts'

useFakeTime()

test('durable resolves only when the task is stored, and nothing is attempted before', async () => {
  const storage = memoryStore()
  const { append } = storage
  const pending: (() => void)[] = []
  storage.append = async (...args) => {
    await new Promise<void>((done) => pending.push(done))
    await append(...args)
  }
  const letThrough = () => pending.shift()?.()
  const remote = new Remote()
  const persistence = open(remote, { storage })
  await pass(minute)
  letThrough()
  await now()
  let isDurable = false
  const receipt = persistence.created('note', note('n1'))
  void receipt.durable.then(() => (isDurable = true))
  await pass(minute / 60)
  expect([isDurable, remote.calls.length]).toEqual([false, 0])
  letThrough()
  await now()
  expect(isDurable).toBe(true)
  // The mark is on its way into the store.
  expect(remote.calls).toEqual([])
  letThrough()
  await now()
  expect(remote.log).toEqual(['create n1 text'])
  storage.append = append
  letThrough()
})

test('settled is the outcome, with receipt, task and metadata', async () => {
  const remote = new Remote(() => Promise.resolve({ backendId: 'b1', version: 3, syncedAt: 42 }))
  const persistence = open(remote)
  const receipt = persistence.created('note', note('n1'), { priority: 2 })
  expect(await receipt.settled).toMatchObject({
    taskId: receipt.taskId,
    entityType: 'note',
    id: 'n1',
    operation: 'create',
    status: 'persisted',
    sent: true,
    receipt: { backendId: 'b1', version: 3, syncedAt: 42 },
    task: { id: receipt.taskId, priority: 2, data: note('n1') },
    metadata: { syncStatus: 'synced', backendId: 'b1', version: 3, lastSyncAt: 42, retryCount: 0, maxRetries: 3 },
  })
})

test('settled follows whatever superseded the task, to its end', async () => {
  const online$ = network(false)
  const persistence = open(new Remote(), { online$ })
  const receipts = [
    persistence.created('note', note('n1', 'a')),
    persistence.updated('note', note('n1', 'b')),
    persistence.updated('note', note('n1', 'c')),
  ]
  await now()
  online$.next(true)
  const ends = await Promise.all(receipts.map(({ settled }) => settled))
  const last = receipts.at(-1)?.taskId
  expect(ends).toMatchObject([
    { status: 'persisted', taskId: last, operation: 'create' },
    { status: 'persisted', taskId: last },
    { status: 'persisted', taskId: last },
  ])
})

test('a create and its delete that were never sent end without a call', async () => {
  const remote = new Remote()
  const persistence = open(remote, { online$: network(false) })
  const results: unknown[] = []
  persistence.results$.subscribe(({ taskId, status }) => results.push([taskId, status]))
  const create = persistence.created('note', note('n1'))
  const deletion = persistence.deleted('note', 'n1')
  expect(await create.settled).toMatchObject({ status: 'persisted', sent: false, operation: 'delete' })
  expect(await deletion.settled).toMatchObject({ status: 'persisted', sent: false })
  expect(results).toEqual([
    [create.taskId, 'superseded'],
    [deletion.taskId, 'persisted'],
  ])
  expect(remote.calls).toEqual([])
  expect(await persistence.metadata('note', 'n1')).toBeUndefined()
})

test('what could not be stored is not-stored, and its durable says why', async () => {
  const storage = memoryStore()
  const persistence = open(new Remote(), { storage })
  await persistence.idle()
  storage.append = () => Promise.reject(new DOMException('full', 'QuotaExceededError'))
  const receipt = persistence.created('note', note('n1'))
  await expect(receipt.durable).rejects.toThrow(StorageError)
  expect(await receipt.settled).toEqual({ status: 'not-stored' })
})

test('ignoring both promises raises nothing, whatever becomes of them', async () => {
  const unhandled: unknown[] = []
  const catchIt = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', catchIt)
  onTestFinished(() => void process.off('unhandledRejection', catchIt))
  const storage = memoryStore()
  const persistence = open(new Remote(fails(() => new PermanentError('no'))), { storage })
  persistence.created('note', note('n1'))
  await persistence.idle()
  storage.append = () => Promise.reject(new Error('full'))
  persistence.created('note', note('n2'))
  await now()
  persistence.created('note', note('n3'))
  await persistence.close()
  await now()
  await new Promise((done) => void setImmediate(done))
  expect(unhandled).toEqual([])
})

test('who looks at settled late sees it too', async () => {
  const persistence = open(new Remote())
  const receipt = persistence.created('note', note('n1'))
  await pass(minute)
  await receipt.durable
  expect(await receipt.settled).toMatchObject({ status: 'persisted' })
})
