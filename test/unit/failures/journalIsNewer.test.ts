import { memoryStore, StorageError } from 'rx-outbox'
import { firstValueFrom } from 'rxjs'
import { expect, test } from 'vitest'
import { encodeRecord } from '../../../lib/storage/codec.ts'
import { encodeGroup, encodeLine } from '../../../lib/storage/frame.ts'
import { joined } from '../../../lib/storage/joined.ts'
import type { JournalStore } from '../../../lib/storage/journalStore.ts'
import { fakeLocks } from '../../support/fakeLocks.ts'
import { hour, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { KeyBox, newKey } from '../../support/keys.ts'
import { heard, network, open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

useFakeTime()

const space = 'rx-outbox/'
const key = new KeyBox(await newKey('k1'))

/** What a later version of the library may write: other headers, other lines. */
const later = joined([encodeLine('rx2 whatever stands there'), encodeLine('{"a":"line"}')])
/** The same, behind damage and behind a group that this version knows. */
const mixed = joined([encodeGroup(['o[1,1]', 'no record']), new TextEncoder().encode('\ndamage\n'), later])
const sealed = encodeLine('rxe2 k1 whatever stands there')

/** Counts everything that would change what a store holds. */
function watched(storage: JournalStore) {
  const writes: string[] = []
  const watch =
    <A extends unknown[]>(name: string, write: (...args: A) => Promise<void>) =>
    (...args: A) => {
      writes.push(`${name} ${args.slice(0, 2).join(' ')}`)
      return write(...args)
    }
  storage.append = watch('append', storage.append)
  storage.replace = watch('replace', storage.replace)
  storage.remove = watch('remove', storage.remove)
  return writes
}

async function bytesOf(storage: JournalStore) {
  const names = (await storage.list(space)).sort()
  return Promise.all(names.map(async (name) => [name, joined(await storage.read(space, name))]))
}

test.each([
  ['newer', later, {}],
  ['newer behind what is known and what is damaged', mixed, {}],
  ['sealed in a newer form', sealed, { encryption: key }],
  ['sealed in a newer form, for an app without keys', sealed, {}],
])(
  'a journal that is %s is only read: events wait, nothing is sent, and every byte stays',
  async (_, bytes, options) => {
    const storage = memoryStore()
    await storage.append(space, 'leader', bytes)
    await storage.append(space, 'some-tab', encodeGroup([encodeRecord({ kind: 'opened', lsn: 1, epoch: 1 })]))
    const before = await bytesOf(storage)
    const writes = watched(storage)
    const remote = new Remote()
    const persistence = open(remote, { storage, ...options })
    const degraded = heard(persistence.bus, 'storage:degraded')
    let durable: unknown = 'open'
    persistence.created('note', note('n1')).durable.then(
      () => (durable = 'stored'),
      (error: unknown) => (durable = error),
    )
    await pass(24 * hour)
    expect([durable, remote.log]).toEqual(['open', []])
    expect(await firstValueFrom(persistence.status$)).toMatchObject({
      phase: 'opening',
      storage: { state: 'degraded' },
      waiting: 1,
    })
    expect(degraded).toHaveLength(1)
    expect(degraded[0]?.payload.error).toBeInstanceOf(StorageError)
    expect(String(degraded[0]?.payload.error)).toMatch(/newer version of rx-outbox/)
    await persistence.close()
    expect(String(durable)).toMatch(/ClosedError/)
    expect(writes).toEqual([])
    expect(await bytesOf(storage)).toEqual(before)
  },
)

test('a tab that follows a newer one writes nothing either', async () => {
  const [storage, locks] = [memoryStore(), fakeLocks()]
  await storage.append(space, 'leader', later)
  void locks.request(`rx-outbox:${space}:leader`, {}, () => new Promise(() => undefined))
  await now()
  const writes = watched(storage)
  const remote = new Remote()
  const persistence = open(remote, { storage, locks })
  const { durable } = persistence.created('note', note('n1'))
  const refused = durable.catch((error: unknown) => String(error))
  await pass(24 * hour)
  expect(await firstValueFrom(persistence.status$)).toMatchObject({ storage: { state: 'degraded' }, waiting: 1 })
  await persistence.close()
  expect(await refused).toMatch(/ClosedError/)
  expect([writes, remote.log]).toEqual([[], []])
})

test('a tab that was there before the newer one touches nothing when its turn to lead comes', async () => {
  const tabs = { storage: memoryStore(), locks: fakeLocks() }
  const first = open(new Remote(), { ...tabs, online$: network(false) })
  await first.created('note', note('n1')).durable
  await now()
  const remote = new Remote()
  const second = open(remote, tabs)
  await second.created('note', note('n2')).durable
  await first.idle()
  await tabs.storage.replace(space, 'leader', later)
  const before = await bytesOf(tabs.storage)
  const writes = watched(tabs.storage)
  await first.close()
  await pass(24 * hour)
  expect(await firstValueFrom(second.status$)).toMatchObject({ storage: { state: 'degraded' } })
  await second.close()
  expect([writes, remote.log]).toEqual([[], []])
  expect(await bytesOf(tabs.storage)).toEqual(before)
})

test('what a newer tab left behind is not taken over, and stays as it is; the rest goes on', async () => {
  const storage = memoryStore()
  await storage.append(space, 'newer-tab', later)
  const remote = new Remote()
  const persistence = open(remote, { storage })
  const errors: unknown[] = []
  persistence.errors$.subscribe((error) => errors.push(error))
  persistence.created('note', note('n1'))
  await pass(hour)
  expect(remote.log).toEqual(['create n1 text'])
  expect(errors.map(String).join()).toMatch(/newer version of rx-outbox/)
  await persistence.close()
  expect(joined(await storage.read(space, 'newer-tab'))).toEqual(later)
})
