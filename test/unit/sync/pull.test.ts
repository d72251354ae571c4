import { expect, test, vi } from 'vitest'
import { memoryStore } from 'rx-outbox'
import { appStore, openSynced } from '../../support/appStore.ts'
import { minute, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { ModelServer } from '../../support/modelServer.ts'
import { network } from '../../support/opened.ts'
import { note } from '../../support/remote.ts'

useFakeTime()

const started = Date.UTC(2025, 0, 6)

test('at the start everything comes in, page by page, and what is known of it with it', async () => {
  const [server, store] = [new ModelServer(), appStore()]
  for (const id of ['n1', 'n2', 'n3']) server.put(id, `text of ${id}`)
  server.put('n2', undefined)
  const persistence = openSynced(server, store, { pull: { limit: 2 } })
  await now()
  expect([...store.notes]).toEqual([
    ['n1', 'text of n1'],
    ['n3', 'text of n3'],
  ])
  expect(store.calls).toEqual([['n1', 'n3'], ['n2']])
  expect(server.pulls.map(({ checkpoint, limit }) => [checkpoint, limit])).toEqual([
    [undefined, 2],
    [3, 2],
  ])
  expect(await persistence.metadata('note', 'n1')).toEqual({
    syncStatus: 'synced',
    version: 1,
    lastSyncAt: started,
    retryCount: 0,
    maxRetries: 3,
  })
})

test('the next write carries the version that was pulled', async () => {
  const [server, store] = [new ModelServer(), appStore()]
  server.put('n1', 'a')
  server.put('n1', 'b')
  const persistence = openSynced(server, store)
  await now()
  persistence.updated('note', note('n1', 'c'))
  await now()
  expect(server.writes).toEqual([{ id: 'n1', operation: 'update', version: 2 }])
  expect(server.text('n1')).toBe('c')
})

test('after a restart it goes on where it was', async () => {
  const [server, store] = [new ModelServer(), appStore()]
  const storage = memoryStore()
  server.put('n1', 'a')
  const first = openSynced(server, store, { storage })
  await now()
  await first.close()
  server.put('n2', 'b')
  openSynced(server, store, { storage })
  await now()
  expect(server.pulls.map(({ checkpoint }) => checkpoint)).toEqual([undefined, 1])
  expect(store.calls).toEqual([['n1'], ['n2']])
})

test('it pulls again after an interval, on reconnect and when it is asked to', async () => {
  const [server, store] = [new ModelServer(), appStore()]
  const online$ = network(true)
  const persistence = openSynced(server, store, { online$ })
  await now()
  expect(server.pulls).toHaveLength(1)
  await pass(5 * minute)
  expect(server.pulls).toHaveLength(2)
  online$.next(false)
  await pass(20 * minute)
  expect(server.pulls).toHaveLength(2)
  online$.next(true)
  await now()
  expect(server.pulls).toHaveLength(3)
  server.put('n1', 'a')
  await persistence.pull('note')
  expect(store.notes.get('n1')).toBe('a')
  await persistence.pull()
  expect(server.pulls).toHaveLength(5)
})

test('each of its reasons can be switched off', async () => {
  const [server, store] = [new ModelServer(), appStore()]
  const online$ = network(true)
  const persistence = openSynced(server, store, { online$, pull: false })
  await pass(60 * minute)
  online$.next(false)
  online$.next(true)
  await pass(60 * minute)
  expect(server.pulls).toEqual([])
  await persistence.pull('note')
  expect(server.pulls).toHaveLength(1)
})

test('what is about to be asked as it closes is not asked any more, and leaves no timer behind', async () => {
  const server = new ModelServer()
  const online$ = network(false)
  const persistence = openSynced(server, appStore(), { online$ })
  await now()
  online$.next(true)
  const closing = persistence.close()
  await now()
  await closing
  expect(server.pulls).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})
