import { StorageError } from 'rx-outbox'
import { expect, test } from 'vitest'
import { allTogether, deviceIn } from '../../support/p2p/device.ts'
import { mapStorage } from '../../support/p2p/mapStorage.ts'
import { peerNetwork } from '../../support/p2p/peerNetwork.ts'
import { soon } from '../../support/p2p/soon.ts'

const milk = { id: 'n1', title: 'Milk' }
const key = 'rx-outbox-p2p/notes/document/n1'

test('what this device cannot store is not persisted, and its next attempt does', async () => {
  const network = peerNetwork()
  const [a, b] = [deviceIn(network, 'a'), deviceIn(network, 'b')]
  await allTogether(a, b)
  a.storage.failure = new Error('disk full')
  await expect(a.write('create', milk)).rejects.toMatchObject({ name: 'StorageError', cause: { message: 'disk full' } })
  a.storage.failure = undefined
  await a.write('create', milk)
  expect(await b.notes()).toEqual({ n1: milk })
})

test('a device that cannot store does not confirm; both sides are told', async () => {
  const network = peerNetwork()
  const [a, b] = [deviceIn(network, 'a'), deviceIn(network, 'b')]
  await allTogether(a, b)
  b.storage.failure = new Error('disk full')
  const controller = new AbortController()
  const written = a.write('create', milk, { signal: controller.signal })
  await soon(() => expect(a.trouble).toMatchObject([{ what: 'refused', peer: 'b' }]))
  expect(b.trouble).toMatchObject([{ what: 'storage', cause: { name: 'StorageError' } }])
  controller.abort(new Error('enough'))
  await expect(written).rejects.toThrow('enough')
  b.storage.failure = undefined
  await a.write('create', milk)
  expect(await b.notes()).toEqual({ n1: milk })
})

test('a document that cannot be read is put aside and told; the others are there', async () => {
  const network = peerNetwork()
  const before = deviceIn(network, 'a', { acks: 0 })
  await before.write('create', milk)
  await before.write('create', { id: 'n2', title: 'Bread' })
  const damaged = { revision: 1, update: new Uint8Array([1, 2, 3]) }
  const items = new Map(before.storage.items).set(key, damaged)
  const a = deviceIn(peerNetwork(), 'a', { acks: 0, storage: mapStorage(items) })
  expect(await a.notes()).toEqual({ n2: { id: 'n2', title: 'Bread' } })
  expect(a.trouble).toMatchObject([{ what: 'storage', message: expect.stringContaining('n1') as string }])
  expect(items.get('rx-outbox-p2p/notes/unreadable/n1')).toEqual(damaged)
  // The place is free for what others have of it.
  await a.write('create', milk)
  expect(await deviceIn(peerNetwork(), 'a', { storage: a.storage }).notes()).toMatchObject({ n1: milk })
})

test('storage that cannot be read at all fails the attempt, is told, and is tried again', async () => {
  const storage = mapStorage()
  const { keys } = storage
  storage.keys = () => Promise.reject(new Error('no access'))
  const a = deviceIn(peerNetwork(), 'a', { acks: 0, storage })
  await expect(a.write('create', milk)).rejects.toBeInstanceOf(StorageError)
  expect(a.trouble[0]).toMatchObject({ what: 'storage', cause: { cause: { message: 'no access' } } })
  storage.keys = keys
  await a.write('create', milk)
  expect(await a.notes()).toEqual({ n1: milk })
})
