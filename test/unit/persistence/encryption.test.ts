import { memoryStore } from 'rx-outbox'
import { filter, firstValueFrom } from 'rxjs'
import { expect, test } from 'vitest'
import type { Options } from '../../../lib/api.ts'
import type { JournalStore } from '../../../lib/storage/journalStore.ts'
import { fakeLocks } from '../../support/fakeLocks.ts'
import { KeyBox, newKey } from '../../support/keys.ts'
import { type Entities, network, open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

const [k1, k2] = await Promise.all([newKey('k1'), newKey('k2')])
const space = 'rx-outbox/'

/** All that a store holds of the default space, as text. */
async function textOf(store: JournalStore, journals?: string[]): Promise<string> {
  const names = journals ?? (await store.list(space))
  const pieces = await Promise.all(names.map((name) => store.read(space, name)))
  return pieces
    .flat()
    .map((bytes) => new TextDecoder().decode(bytes))
    .join('')
}

/** A store that holds waiting creates of the ids, stored with these options. */
async function stored(ids: string[], options: Options<Entities> = {}, storage = memoryStore()) {
  const before = open(new Remote(), { storage, online$: network(false), ...options })
  await Promise.all(ids.map((id) => before.created('note', note(id, `secret of ${id}`)).durable))
  await before.close()
  return storage
}

test('what is stored can be read with the key only, and is delivered by the next run', async () => {
  const encryption = new KeyBox(k1)
  const storage = await stored(['n1', 'n2'], { encryption, owner: '' })
  expect(await textOf(storage)).not.toMatch(/secret|note| n1 |"n1"| rx1 /)
  expect(await textOf(storage)).toMatch(/rxe1 k1 /)
  const remote = new Remote()
  const persistence = open(remote, { storage, encryption })
  await persistence.idle()
  expect(remote.log).toEqual(['create n1 secret of n1', 'create n2 secret of n2'])
  await persistence.close()
  expect(await textOf(storage)).not.toMatch(/secret| rx1 /)
})

test('everything that is written goes sealed, in the order in which it was said', async () => {
  const storage = memoryStore()
  const encryption = new KeyBox(k1)
  const persistence = open(new Remote(), { storage, encryption, online$: network(false) })
  const receipts = Array.from({ length: 200 }, (_, i) => persistence.created('note', note(`n${i}`)))
  await receipts[100]?.durable
  receipts.push(persistence.updated('note', note('n0', 'last')))
  await Promise.all(receipts.map(({ durable }) => durable))
  await persistence.close()
  const remote = new Remote()
  await open(remote, { storage, encryption }).idle()
  expect(remote.log).toHaveLength(200)
  expect(remote.log[0]).toBe('create n0 last')
  expect(remote.log[199]).toBe('create n199 text')
})

test('what was stored before encryption was switched on is delivered, and no longer readable a moment later', async () => {
  const storage = await stored(['n1'])
  const remote = new Remote()
  const online$ = network(false)
  const persistence = open(remote, { storage, encryption: new KeyBox(k1), online$ })
  await persistence.idle()
  expect(await textOf(storage)).toMatch(/secret of n1/)
  await expect.poll(() => textOf(storage), { timeout: 10_000 }).not.toMatch(/secret| rx1 /)
  online$.next(true)
  await persistence.idle()
  expect(remote.log).toEqual(['create n1 secret of n1'])
})

test('a new key is used from its first group on; the old one can go when the journal was written anew', async () => {
  const encryption = new KeyBox(k1)
  const storage = await stored(['n1'], { encryption })
  const online$ = network(false)
  const persistence = open(new Remote(), { storage, encryption, online$ })
  await persistence.created('note', note('n2')).durable
  encryption.add(k2)
  await persistence.created('note', note('n3')).durable
  expect(await textOf(storage)).toMatch(/rxe1 k1 .*\n\n.*rxe1 k2 .*\n$/)
  await expect.poll(() => textOf(storage), { timeout: 10_000 }).not.toMatch(/rxe1 k1/)
  await persistence.close()
  encryption.forget('k1')
  const remote = new Remote()
  await open(remote, { storage, encryption }).idle()
  expect(remote.log.map((line) => line.slice(0, 9))).toEqual(['create n1', 'create n2', 'create n3'])
})

test('a journal of an old key is written anew by the next leader, once', async () => {
  const encryption = new KeyBox(k1)
  const storage = await stored(['n1', 'n2'], { encryption })
  encryption.add(k2)
  let rewrites = 0
  const { replace } = storage
  storage.replace = (...args) => (rewrites++, replace(...args))
  const persistence = open(new Remote(), { storage, encryption, online$: network(false) })
  await expect.poll(() => textOf(storage), { timeout: 10_000 }).not.toMatch(/rxe1 k1/)
  await persistence.created('note', note('n3')).durable
  await persistence.close()
  expect(rewrites).toBe(1)
})

test('each owner has keys of its own', async () => {
  const storage = memoryStore()
  const encryption = { key: ({ owner }: { owner: string }) => (owner === 'ann' ? k1 : k2) }
  for (const owner of ['ann', 'bob']) await stored(['n1'], { encryption, owner }, storage)
  const idOf = async (owner: string) =>
    new TextDecoder().decode((await storage.read(`rx-outbox/${owner}`, 'leader'))[0]).split(' ')[2]
  expect([await idOf('ann'), await idOf('bob')]).toEqual(['k1', 'k2'])
})

test('another tab stores sealed as well, and the leader takes it over', async () => {
  const tabs = { storage: memoryStore(), locks: fakeLocks(), encryption: new KeyBox(k1) }
  const first = open(new Remote(), { ...tabs, online$: network(false) })
  await first.created('note', note('n1', 'secret')).durable
  const remote = new Remote()
  const second = open(remote, tabs)
  await second.created('note', note('n2', 'secret')).durable
  expect(await textOf(tabs.storage)).not.toMatch(/secret| rx1 /)
  await first.close()
  await firstValueFrom(second.status$.pipe(filter(({ leader }) => leader)))
  await second.idle()
  expect(remote.log).toEqual(['create n1 secret', 'create n2 secret'])
})

test('what is put aside is sealed too', async () => {
  const encryption = new KeyBox(k1)
  const storage = await stored(['n1'], { encryption })
  await storage.append(space, 'leader', new TextEncoder().encode('\nhalf a secret\n'))
  const persistence = open(new Remote(), { storage, encryption })
  await persistence.idle()
  expect(await storage.list(space)).toContain('quarantine')
  expect(await textOf(storage)).not.toMatch(/secret/)
})

test('an encryption that cannot be is refused by name', () => {
  expect(() => open(new Remote(), { encryption: {} as never })).toThrow('Option encryption.key')
  expect(() => open(new Remote(), { encryption: { key: k1 } as never })).toThrow(
    'Option encryption.key: has to be a function',
  )
})
