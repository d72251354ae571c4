import { memoryStore, StorageError } from 'rx-outbox'
import { expect, test } from 'vitest'
import { crc32 } from '../../../lib/storage/crc32.ts'
import { encodeGroup } from '../../../lib/storage/frame.ts'
import { hour, minute, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { heard, network, open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

useFakeTime()

/** A store that holds a waiting create of n1. */
async function stored() {
  const storage = memoryStore()
  const before = open(new Remote(), { storage, online$: network(false) })
  await before.created('note', note('n1', 'from before')).durable
  await before.close()
  return storage
}

test('a read error at the start is never an empty queue: it is told, and tried until it works', async () => {
  const storage = await stored()
  const { read } = storage
  let failures = 3
  storage.read = (...args) => (failures-- > 0 ? Promise.reject(new Error('the disk is busy')) : read(...args))
  const remote = new Remote()
  const persistence = open(remote, { storage })
  const degraded = heard(persistence.bus, 'storage:degraded')
  const phases: string[] = []
  persistence.status$.subscribe(({ phase, storage: { state } }) => phases.push(`${phase} ${state}`))
  let all: unknown
  void persistence.metadata('note').then((metadata) => (all = metadata))
  const receipt = persistence.updated('note', note('n1', 'from now'))
  await now()
  expect([all, remote.calls.length, degraded.length]).toEqual([undefined, 0, 1])
  await pass(minute)
  await receipt.durable
  expect(remote.log.at(0)).toMatch(/^create n1/)
  expect(remote.log.at(-1)).toMatch(/from now$/)
  expect(all).toBeInstanceOf(Map)
  expect(phases.at(0)).toBe('opening opening')
  expect(phases).toContain('opening degraded')
  expect(phases.at(-1)).toBe('running ok')
})

test('nothing is written to a journal that could not be read', async () => {
  const storage = await stored()
  const { append, replace } = storage
  let writes = 0
  storage.append = (...args) => (writes++, append(...args))
  storage.replace = (...args) => (writes++, replace(...args))
  storage.read = () => Promise.reject(new Error('the disk is gone'))
  const persistence = open(new Remote(), { storage })
  persistence.created('note', note('n2'))
  await pass(24 * hour)
  await persistence.close()
  expect(writes).toBe(0)
})

test('attempts to read come at growing intervals', async () => {
  const storage = await stored()
  let reads = 0
  storage.read = () => (reads++, Promise.reject(new Error('the disk is gone')))
  open(new Remote(), { storage })
  await pass(hour)
  expect(reads).toBeGreaterThan(10)
  expect(reads).toBeLessThan(100)
})

test('a journal of a newer version is left as it is, and said to be so', async () => {
  const storage = await stored()
  const header = new TextEncoder().encode('rx2 0 00000000')
  const checksum = crc32(header, 0, header.length).toString(16).padStart(8, '0')
  const newer = `${checksum} rx2 0 00000000\n`
  await storage.append('rx-outbox/', 'leader', new TextEncoder().encode(newer))
  const remote = new Remote()
  const persistence = open(remote, { storage })
  const errors: unknown[] = []
  persistence.errors$.subscribe((error) => errors.push(error))
  persistence.created('note', note('n2'))
  await pass(hour)
  await persistence.close()
  expect(remote.calls).toEqual([])
  expect(String(errors[0])).toMatch(/newer version/)
  const groups = await storage.read('rx-outbox/', 'leader')
  expect(new TextDecoder().decode(groups.at(-1))).toBe(newer)
  expect(await storage.list('rx-outbox/')).toEqual(['leader'])
})

test('a record that cannot be read is put aside and told; its neighbours are delivered', async () => {
  const storage = await stored()
  await storage.append('rx-outbox/', 'leader', encodeGroup(['this is no record']))
  const remote = new Remote()
  const persistence = open(remote, { storage })
  const errors: unknown[] = []
  persistence.errors$.subscribe((error) => errors.push(error))
  await now()
  expect(remote.log).toEqual(['create n1 from before'])
  expect(errors[0]).toBeInstanceOf(StorageError)
  const kept = await storage.read('rx-outbox/', 'quarantine')
  expect(kept.map((bytes) => new TextDecoder().decode(bytes)).join()).toContain('this is no record')
  await persistence.close()
  const again: unknown[] = []
  open(new Remote(), { storage }).errors$.subscribe((error) => again.push(error))
  await now()
  expect(again).toEqual([])
})
