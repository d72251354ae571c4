import { createEventBus, NetworkError, remoteWins } from 'rx-outbox'
import { firstValueFrom } from 'rxjs'
import { expect, test } from 'vitest'
import { appStore, openSynced } from '../../support/appStore.ts'
import { now, pass, second, useFakeTime } from '../../support/fakeTime.ts'
import { ModelServer } from '../../support/modelServer.ts'
import { type Entities, network } from '../../support/opened.ts'
import { note } from '../../support/remote.ts'

useFakeTime()

/** Held until it is let go. */
function gate() {
  let open = () => {}
  const isOpen = new Promise<void>((done) => (open = done))
  return { open: () => open(), isOpen }
}

test('a row of an entity with a waiting change is kept for it, and never given to the app before', async () => {
  const [server, store, online$] = [new ModelServer(), appStore(), network(true)]
  server.put('n1', 'theirs')
  const persistence = openSynced(server, store, { online$, retryConfig: { maxRetries: 0 } })
  await now()
  server.put('n1', 'theirs again')
  online$.next(false)
  persistence.updated('note', note('n1', 'mine'))
  await now()
  server.applying = () => pass(0)
  const asking = gate()
  server.applying = () => asking.isOpen
  online$.next(true)
  await now()
  asking.open()
  await now()
  // Refused as stale: the app is asked. What the remote holds waits until it has answered.
  await persistence.pull('note')
  expect(store.notes.get('n1')).toBe('theirs')
  const [asked] = await firstValueFrom(persistence.conflicts$)
  await persistence.resolve(asked?.taskId ?? '', 'remote')
  await now()
  expect(store.notes.get('n1')).toBe('theirs again')
  expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'synced', version: 2 })
})

test.each([
  [false, 'mine', [['n1']]],
  // Refused as stale, and kept: what they wrote is its base.
  [true, 'old', []],
] as const)(
  'a page that was made before a write, and comes after it, is asked for again (versions: %s)',
  async (isVersioned, shown, calls) => {
    const [server, store] = [new ModelServer({ isVersioned }), appStore()]
    server.put('n1', 'old')
    server.put('n2', 'other')
    const persistence = openSynced(server, store, { pull: { interval: false } })
    const page = gate()
    await now()
    server.put('n1', 'theirs')
    server.paged = () => page.isOpen
    const pulling = persistence.pull('note')
    await now()
    persistence.updated('note', note('n1', 'mine'))
    await now()
    server.paged = () => undefined
    store.calls.length = 0
    page.open()
    await pulling
    expect(store.calls).toEqual(calls)
    expect(store.notes.get('n1')).toBe(shown)
    expect(server.pulls.slice(1).map(({ checkpoint }) => checkpoint)).toEqual([2, 2])
  },
)

test('what is made anew after an own delete is no conflict with its tombstone', async () => {
  const [server, store, online$] = [new ModelServer(), appStore(), network(true)]
  const persistence = openSynced(server, store, { online$, pull: { interval: false } })
  await now()
  persistence.created('note', note('n1', 'first'))
  await now()
  persistence.deleted('note', 'n1')
  await now()
  const page = gate()
  server.paged = () => page.isOpen
  const pulling = persistence.pull('note')
  await now()
  online$.next(false)
  persistence.created('note', note('n1', 'second'))
  await now()
  page.open()
  await pulling
  online$.next(true)
  await now()
  expect(await firstValueFrom(persistence.conflicts$)).toEqual([])
  expect(server.text('n1')).toBe('second')
})

test('a row that comes while its entity is in flight is owed, and comes when that has ended', async () => {
  const [server, store] = [new ModelServer(), appStore()]
  const persistence = openSynced(server, store, { pull: { interval: false } })
  await now()
  const answer = gate()
  server.answering = () => answer.isOpen
  persistence.created('note', note('n1', 'mine'))
  await now()
  server.put('n1', 'theirs')
  await persistence.pull('note')
  expect(store.calls).toEqual([])
  answer.open()
  await now()
  await pass(5 * second)
  expect(store.notes.get('n1')).toBe('theirs')
})

test('a change that is made while apply works is based on what was before, so that it is a conflict', async () => {
  const [server, store] = [new ModelServer(), appStore()]
  server.put('n1', 'a')
  const persistence = openSynced(server, store, { retryConfig: { maxRetries: 0 }, pull: { interval: false } })
  await now()
  server.put('n1', 'b')
  const applying = gate()
  store.before = () => applying.isOpen
  const pulling = persistence.pull('note')
  await now()
  await persistence.pause()
  persistence.updated('note', note('n1', 'made of a'))
  await now()
  applying.open()
  await pulling
  await persistence.resume()
  await now()
  expect(server.writes).toEqual([])
  expect(await firstValueFrom(persistence.conflicts$)).toMatchObject([
    { id: 'n1', local: { text: 'made of a' }, remote: { text: 'b' } },
  ])
})

test('a row comes again where the app took it away while apply worked, and that was refused and given up', async () => {
  const [server, store] = [new ModelServer(), appStore()]
  server.namesVersion = true
  server.put('n1', 'a')
  const persistence = openSynced(server, store, { conflict: { note: remoteWins }, pull: { interval: false } })
  await now()
  server.put('n1', 'b')
  const applying = gate()
  store.after = () => applying.isOpen
  const pulling = persistence.pull('note')
  await now()
  store.notes.delete('n1')
  persistence.deleted('note', 'n1')
  await now()
  expect(await firstValueFrom(persistence.queue$)).toEqual([])
  applying.open()
  await pulling
  await now()
  expect(store.notes.get('n1')).toBe('b')
})

test('a row behind a dead letter of which nobody knows whether it was applied is owed until that is decided', async () => {
  const [server, store] = [new ModelServer(), appStore()]
  const persistence = openSynced(server, store, { retryConfig: { maxRetries: 0 }, pull: { interval: false } })
  await now()
  server.answering = () => {
    throw new NetworkError('The answer was lost')
  }
  const { taskId } = persistence.created('note', note('n1', 'mine'))
  await now()
  server.put('n1', 'theirs')
  server.put('n2', 'another')
  await persistence.pull('note')
  expect(store.calls).toEqual([['n2']])
  server.answering = () => undefined
  // The same key: what the server says is of its first time, before the others wrote.
  await persistence.retry(taskId)
  await now()
  expect([store.notes.get('n1'), server.text('n1')]).toEqual(['theirs', 'theirs'])
})

test('an event that is not stored yet counts as waiting', async () => {
  const [server, store] = [new ModelServer(), appStore()]
  const persistence = openSynced(server, store, { pull: { interval: false } })
  await now()
  server.put('n1', 'theirs')
  server.paged = () => void persistence.created('note', note('n1', 'mine'))
  await persistence.pull('note')
  expect(store.calls).toEqual([])
})

test('what others changed is told, with what is known of it; what waits for the app is not', async () => {
  const [server, store, bus] = [new ModelServer(), appStore(), createEventBus<Entities>()]
  server.put('n1', 'a')
  const persistence = openSynced(server, store, { bus })
  const told: unknown[] = []
  persistence.remote$('note').subscribe((news) => told.push(news))
  persistence.remote$('tag').subscribe((news) => told.push(news))
  bus.on('entity:remote-changed', (news) => void told.push(news))
  await now()
  server.put('n1', undefined)
  await persistence.pull()
  const changed = { entityType: 'note', id: 'n1', data: note('n1', 'a'), version: 1 }
  const deleted = { entityType: 'note', id: 'n1', deleted: true }
  expect(told).toMatchObject([changed, changed, deleted, deleted])
  expect(told[0]).toMatchObject({ metadata: { syncStatus: 'synced', version: 1 } })
  expect(await persistence.metadata('note', 'n1')).toBeUndefined()
})
