import { LockedError, memoryStore, type OutboxStatus, type Persistence } from 'rx-outbox'
import { filter, firstValueFrom } from 'rxjs'
import { expect, test, vi } from 'vitest'
import type { Encryption, EncryptionKey } from '../../../lib/api.ts'
import type { JournalStore } from '../../../lib/storage/journalStore.ts'
import { fakeLocks } from '../../support/fakeLocks.ts'
import { KeyBox, newKey } from '../../support/keys.ts'
import { type Entities, heard, network, open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'
import { virtualTime } from '../../support/virtualTime.ts'

const [k1, k2] = await Promise.all([newKey('k1'), newKey('k2')])
const space = 'rx-outbox/'

/** A store that holds a waiting create of n1, sealed with k1, and what it holds. */
async function stored(encryption: Encryption = new KeyBox(k1)) {
  const storage = memoryStore()
  const before = open(new Remote(), { storage, online$: network(false), encryption })
  await before.created('note', note('n1', 'secret')).durable
  await before.close()
  return storage
}

async function bytesOf(storage: JournalStore) {
  const names = (await storage.list(space)).sort()
  return Promise.all(names.map(async (name) => [name, await storage.read(space, name)]))
}

function stateReached(persistence: Persistence<Entities>, state: OutboxStatus['storage']['state']) {
  return firstValueFrom(persistence.status$.pipe(filter(({ storage }) => storage.state === state)))
}

const wrongKeys: [string, Encryption | undefined][] = [
  ['there is no key', { key: () => undefined }],
  ['the key for what is there has gone', { key: ({ id }) => (id === undefined ? k2 : undefined) }],
  ['the key of that name is another one', { key: () => ({ ...k2, id: 'k1' }) }],
  ['the app forgot the option', undefined],
  ['asking for the key fails', { key: () => Promise.reject(new Error('no key store')) }],
]

test.each(wrongKeys)(
  'while %s it is locked and told; nothing is sent, put aside or written, and events wait',
  async (_, encryption) => {
    const storage = await stored()
    const before = await bytesOf(storage)
    const remote = new Remote()
    const time = virtualTime()
    const persistence = open(remote, { storage, scheduler: time.scheduler, ...(encryption && { encryption }) })
    const degraded = heard(persistence.bus, 'storage:degraded')
    const errors: unknown[] = []
    persistence.errors$.subscribe((error) => errors.push(error))
    const states: string[] = []
    persistence.status$.subscribe(({ storage: { state } }) => states.push(state))
    let durable: unknown = 'open'
    persistence.created('note', note('n2', 'secret')).durable.catch((error: unknown) => (durable = error))
    await stateReached(persistence, 'locked')
    for (let pause = 1_000; pause <= 16_000; pause *= 2) {
      // Deciphering takes real time: no more of the other one passes until it is done.
      const told = firstValueFrom(persistence.errors$)
      await time.pass(pause)
      await told
    }
    expect([...new Set(states)]).toEqual(['opening', 'locked'])
    expect([durable, remote.log]).toEqual(['open', []])
    expect(degraded).toHaveLength(1)
    expect(errors[0]).toBeInstanceOf(LockedError)
    expect(errors.map(String).join()).not.toMatch(/secret/)
    await time.until(persistence.close())
    expect(String(durable)).toMatch(/ClosedError/)
    expect(await bytesOf(storage)).toEqual(before)
  },
)

test('it goes on when the key is there, with what waited', async () => {
  const storage = await stored()
  const encryption = new KeyBox()
  const remote = new Remote()
  const time = virtualTime()
  const persistence = open(remote, { storage, encryption, scheduler: time.scheduler })
  const receipt = persistence.created('note', note('n2'))
  await stateReached(persistence, 'locked')
  encryption.add(k1)
  await time.pass(60_000)
  await receipt.durable
  await stateReached(persistence, 'ok')
  await persistence.idle()
  expect(remote.log).toEqual(['create n1 secret', 'create n2 text'])
})

test('a promise of a key is waited for: locked until it resolves, and going on at once then; it is not asked twice', async () => {
  const storage = await stored()
  let give: (key: EncryptionKey) => void = () => undefined
  const asked = vi.fn<Encryption['key']>(() => new Promise((resolve) => (give = resolve)))
  const remote = new Remote()
  const time = virtualTime()
  const persistence = open(remote, { storage, encryption: { key: asked }, scheduler: time.scheduler })
  const receipt = persistence.created('note', note('n2'))
  await time.pass(1_000)
  await stateReached(persistence, 'locked')
  await time.pass(3_600_000)
  expect(asked).toHaveBeenCalledTimes(1)
  asked.mockImplementation(() => k1)
  give(k1)
  // No time passes from here on.
  await receipt.durable
  await persistence.idle()
  expect(remote.log).toEqual(['create n1 secret', 'create n2 text'])
  expect((await stateReached(persistence, 'ok')).phase).toBe('running')
})

test('a key that goes away in the middle of it all: what comes then waits, and is stored in order when it is back', async () => {
  const storage = memoryStore()
  const encryption = new KeyBox(k1)
  const remote = new Remote()
  const time = virtualTime()
  const online$ = network(false)
  const persistence = open(remote, { storage, encryption, scheduler: time.scheduler, online$ })
  await persistence.created('note', note('n1')).durable
  const before = await bytesOf(storage)
  encryption.forget('k1')
  const receipts = [persistence.created('note', note('n2'))]
  await stateReached(persistence, 'locked')
  receipts.push(persistence.created('note', note('n3')))
  online$.next(true)
  await time.pass(600_000)
  expect([remote.log, await bytesOf(storage)]).toEqual([[], before])
  encryption.add(k1)
  await time.pass(60_000)
  await Promise.all(receipts.map(({ durable }) => durable))
  await persistence.idle()
  expect(remote.log).toEqual(['create n1 text', 'create n2 text', 'create n3 text'])
  await stateReached(persistence, 'ok')
})

test('what waits for the key in a tab that comes to lead is stored by the leader', async () => {
  const time = virtualTime()
  const encryption = new KeyBox(k1)
  const tabs = { storage: memoryStore(), locks: fakeLocks(), encryption, scheduler: time.scheduler }
  const first = open(new Remote(), tabs)
  await first.idle()
  const remote = new Remote()
  const second = open(remote, tabs)
  await second.created('note', note('n1')).durable
  encryption.forget('k1')
  const receipt = second.updated('note', note('n1', 'later'))
  await stateReached(second, 'locked')
  await time.until(first.close())
  encryption.add(k1)
  await time.pass(120_000)
  await receipt.durable
  await second.idle()
  expect(remote.log.at(-1)).toMatch(/n1 later$/)
})

test('what could not be stored when it is closed is refused, not forgotten', async () => {
  const encryption = new KeyBox(k1)
  const time = virtualTime()
  const persistence = open(new Remote(), { encryption, scheduler: time.scheduler })
  await persistence.idle()
  encryption.forget('k1')
  const receipt = persistence.created('note', note('n1'))
  await stateReached(persistence, 'locked')
  const error: unknown = await Promise.all([receipt.durable, time.until(persistence.close())]).catch((e: unknown) => e)
  expect(String(error)).toMatch(/ClosedError/)
})
