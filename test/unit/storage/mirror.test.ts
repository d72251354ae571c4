import { memoryStore } from 'rx-outbox'
import { of } from 'rxjs'
import { expect, test } from 'vitest'
import { localforageStore } from '../../../lib/storage/localforage.ts'
import { readHead, readMirror } from '../../../lib/storage/readMirror.ts'
import { fakeForage, type FakeForage } from '../../support/fakeForage.ts'
import { hour, minute, now, pass, second, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { folded, plain } from '../../support/outboxLife.ts'
import { note, Remote } from '../../support/remote.ts'
import { readJournal } from '../../../lib/storage/readJournal.ts'
import type { JournalStore } from '../../../lib/storage/journalStore.ts'

useFakeTime()

const space = 'rx-outbox/'
const contentOf = (forage: FakeForage) => readMirror(localforageStore(forage), space)

/** What a mirror means, and what the journal does: lsns and epochs of leaders that came meanwhile apart. */
async function both(forage: FakeForage, storage: JournalStore) {
  const mirror = plain(folded((await contentOf(forage))?.records ?? []))
  const journal = plain(folded((await readJournal(storage, space, 'leader')).records))
  const apart = { lsn: 0, epoch: 0 }
  return [
    { ...mirror, ...apart },
    { ...journal, ...apart },
  ]
}

/** Writes to the log of a mirror, in bytes. */
function watched() {
  const forage = fakeForage()
  const writes: string[] = []
  forage.beforeWrite = (key) => void writes.push(key)
  return { forage, writes }
}

test('after idle() the mirror means what the journal means', async () => {
  const { forage } = watched()
  const storage = memoryStore()
  const online$ = network(false)
  const persistence = open(new Remote(({ id }) => of({ backendId: `b-${id}`, version: 1 })), {
    snapshot: forage,
    storage,
    online$,
  })
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 20; i++) persistence.created('note', note(`n${round}-${i}`))
    persistence.updated('note', note(`n${round}-3`, 'again'))
    persistence.deleted('note', `n${round}-4`)
    online$.next(round % 2 === 1)
    await now()
    await persistence.idle()
    const [mirror, journal] = await both(forage, storage)
    expect(mirror).toEqual(journal)
  }
  await persistence.close()
})

test('without idle() it follows by itself, within seconds', async () => {
  const { forage } = watched()
  const persistence = open(new Remote(), { snapshot: forage, online$: network(false) })
  persistence.created('note', note('n1'))
  await pass(3 * second)
  expect((await contentOf(forage))?.records.filter(({ kind }) => kind === 'enqueued')).toHaveLength(1)
  await persistence.close()
})

test('closing completes it, and the next start goes on from there: nothing is written twice', async () => {
  const { forage, writes } = watched()
  const storage = memoryStore()
  const first = open(new Remote(), { snapshot: forage, storage, online$: network(false) })
  for (let i = 0; i < 3_000; i++) first.created('note', note(`n${i}`))
  await now()
  await first.close()
  const head = await readHead(localforageStore(forage), space)
  writes.length = 0
  const again = open(new Remote(), { snapshot: forage, storage, online$: network(false) })
  again.created('note', note('one more'))
  await pass(minute)
  await again.close()
  expect(writes.length).toBeLessThan(8)
  const last = await contentOf(forage)
  expect(last?.head.log).toBe(head?.log)
  expect(last?.records.filter(({ kind }) => kind === 'enqueued')).toHaveLength(3_001)
  const [mirror, journal] = await both(forage, storage)
  expect(mirror).toEqual(journal)
})

test('what was stored after it was last complete, before a crash, is caught up on by the next start', async () => {
  const { forage, writes } = watched()
  const storage = memoryStore()
  const first = open(new Remote(), { snapshot: forage, storage, online$: network(false) })
  for (let i = 0; i < 100; i++) first.created('note', note(`n${i}`))
  await now()
  await first.idle()
  const before = forage.beforeWrite
  forage.beforeWrite = () => Promise.reject(new Error('killed'))
  first.updated('note', note('n5', 'changed'))
  first.created('note', note('n100'))
  await now()
  void first.close()
  await pass(minute)
  forage.beforeWrite = before
  writes.length = 0
  const again = open(new Remote(), { snapshot: forage, storage, online$: network(false) })
  await pass(minute)
  expect((await contentOf(forage))?.head.size).toBe(102)
  const [mirror, journal] = await both(forage, storage)
  expect(mirror).toEqual(journal)
  await again.close()
})

test('a change of one entity among thousands costs a few small writes', async () => {
  const { forage } = watched()
  const persistence = open(new Remote(), { snapshot: forage, online$: network(false) })
  for (let i = 0; i < 2_000; i++) persistence.created('note', note(`n${i}`))
  await now()
  await persistence.idle()
  const before = new Map(forage.items)
  persistence.updated('note', note('n7', 'again'))
  await now()
  await persistence.idle()
  const changed = [...forage.items].filter(([key, value]) => before.get(key) !== value)
  const bytes = changed.reduce((sum, [, value]) => sum + (ArrayBuffer.isView(value) ? value.byteLength : 0), 0)
  expect(changed.length).toBeLessThanOrEqual(2)
  expect(bytes).toBeLessThan(10_000)
  await persistence.close()
})

test('its log is written anew once most of it is out of date, and the old one goes', async () => {
  const { forage } = watched()
  const persistence = open(new Remote(), { snapshot: forage, online$: network(false) })
  const logs = async () => (await localforageStore(forage).list(`/mirror/${space}`)).filter((name) => name !== 'head')
  persistence.created('note', note('n1'))
  await now()
  await persistence.idle()
  const [first] = await logs()
  for (let i = 0; i < 1_100; i++) {
    persistence.updated('note', note('n1', `text ${i}`))
    await now()
    await persistence.idle()
  }
  const rest = await logs()
  expect(rest).toHaveLength(1)
  expect(rest[0]).not.toBe(first)
  expect(forage.items.size).toBeLessThan(20)
  await persistence.close()
})

test('one that cannot be written is told once, holds nobody up, and is complete when it can be again', async () => {
  const { forage } = watched()
  const storage = memoryStore()
  forage.beforeWrite = () => Promise.reject(new Error('no room'))
  const remote = new Remote()
  const persistence = open(remote, { snapshot: forage, storage })
  const errors: unknown[] = []
  persistence.errors$.subscribe((error) => errors.push(error))
  for (let i = 0; i < 50; i++) persistence.created('note', note(`n${i}`))
  await now()
  await persistence.idle()
  await pass(hour)
  expect(remote.log).toHaveLength(50)
  expect(errors.map(String)).toEqual([expect.stringMatching(/snapshot could not be written/)])
  forage.beforeWrite = () => undefined
  persistence.created('note', note('n50'))
  await pass(2 * minute)
  const [mirror, journal] = await both(forage, storage)
  expect(mirror).toEqual(journal)
  await persistence.close()
})

test('one that never answers holds neither delivery nor closing up', async () => {
  const { forage } = watched()
  forage.beforeWrite = () => new Promise(() => undefined)
  const remote = new Remote()
  const persistence = open(remote, { snapshot: forage })
  persistence.created('note', note('n1'))
  await pass(minute)
  expect(remote.log).toEqual(['create n1 text'])
  let closed = false
  void persistence.close().then(() => (closed = true))
  await pass(5 * second)
  expect(closed).toBe(true)
})

test('wiped while the app runs, it is written anew with the next change', async () => {
  const { forage } = watched()
  const storage = memoryStore()
  const persistence = open(new Remote(), { snapshot: forage, storage, online$: network(false) })
  for (let i = 0; i < 500; i++) persistence.created('note', note(`n${i}`))
  await now()
  await persistence.idle()
  forage.items.clear()
  persistence.created('note', note('n500'))
  await now()
  await persistence.idle()
  const [mirror, journal] = await both(forage, storage)
  expect(mirror).toEqual(journal)
  expect((await contentOf(forage))?.whole).toBe(true)
  await persistence.close()
})

test('a journal that was written anew beyond it is not gone on with: what ended meanwhile is not in the mirror', async () => {
  const { forage } = watched()
  const storage = memoryStore()
  const online$ = network(false)
  const first = open(new Remote(), { snapshot: forage, storage, online$ })
  for (let i = 0; i < 500; i++) first.deleted('note', `n${i}`)
  await now()
  await first.idle()
  forage.beforeWrite = () => Promise.reject(new Error('no room'))
  online$.next(true)
  await pass(minute)
  await first.close()
  expect((await readJournal(storage, space, 'leader')).records.length).toBeLessThan(10)
  forage.beforeWrite = () => undefined
  const again = open(new Remote(), { snapshot: forage, storage, online$ })
  await pass(minute)
  expect((await contentOf(forage))?.records.filter(({ kind }) => kind === 'enqueued')).toEqual([])
  await again.close()
})

test('nor one whose numbers were used a second time, by a leader that did not look at the mirror', async () => {
  const { forage } = watched()
  const storage = memoryStore()
  const online$ = network(false)
  const first = open(new Remote(), { snapshot: forage, storage, online$ })
  first.created('note', note('n1'))
  await now()
  const cut = await storage.read(space, 'leader')
  first.created('note', note('n2'))
  await now()
  await first.close()
  await storage.remove(space, 'leader')
  for (const group of cut) await storage.append(space, 'leader', group)
  const blind = open(new Remote(), { snapshot: null, storage, online$ })
  for (const id of ['n3', 'n4', 'n5']) blind.created('note', note(id))
  await now()
  await blind.close()
  const last = open(new Remote(), { snapshot: forage, storage, online$ })
  await pass(minute)
  const [mirror, journal] = await both(forage, storage)
  expect(mirror).toEqual(journal)
  await last.close()
})

test('while thousands are delivered it takes a few writes only, and is complete behind them', async () => {
  const { forage, writes } = watched()
  const storage = memoryStore()
  const remote = new Remote(({ id }) => of({ backendId: id }))
  const persistence = open(remote, { snapshot: forage, storage, concurrency: 8 })
  for (let i = 0; i < 10_000; i++) persistence.created('note', note(`n${i}`))
  await now()
  await persistence.idle()
  expect(remote.calls).toHaveLength(10_000)
  expect(writes.length).toBeLessThan(200)
  const [mirror, journal] = await both(forage, storage)
  expect(mirror).toEqual(journal)
  await persistence.close()
})

test('where it was cut short in the middle of a round, the round before counts', async () => {
  const { forage } = watched()
  const storage = memoryStore()
  const first = open(new Remote(), { snapshot: forage, storage, online$: network(false) })
  for (let i = 0; i < 3_000; i++) first.created('note', note(`n${i}`, 'old'))
  await now()
  await first.idle()
  for (let i = 0; i < 3_000; i++) first.updated('note', note(`n${i}`, 'new'))
  let left = 1
  forage.beforeWrite = () => (left-- > 0 ? undefined : new Promise(() => undefined))
  await pass(2 * second)
  void first.close()
  await pass(minute)
  const found = await contentOf(forage)
  const texts = found?.records.map((record) => (record.kind === 'enqueued' ? record.data : undefined)) ?? []
  expect(texts.filter((text) => text?.includes('old'))).toHaveLength(3_000)
  expect(texts.filter((text) => text?.includes('new'))).toHaveLength(0)
  // And once the next start has brought it up to date, nothing of the half round shows.
  forage.beforeWrite = () => undefined
  const again = open(new Remote(), { snapshot: forage, storage, online$: network(false) })
  await pass(minute)
  const [mirror, journal] = await both(forage, storage)
  expect(mirror).toEqual(journal)
  await again.close()
})
