import { setImmediate } from 'node:timers/promises'
import { firstValueFrom } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { allTogether, type Device, deviceIn } from '../../support/p2p/device.ts'
import { type MapStorage, mapStorage } from '../../support/p2p/mapStorage.ts'
import { peerNetwork } from '../../support/p2p/peerNetwork.ts'
import { soon } from '../../support/p2p/soon.ts'

const { signal } = new AbortController()

test('who comes late gets everything, edits, tombstones and all, and only what is missing when it comes again', async () => {
  const network = peerNetwork()
  const a = deviceIn(network, 'a', { acks: 0 })
  for (let n = 0; n < 200; n += 1) await a.write('create', { id: `n${n}`, title: `Note ${n}` })
  await a.write('delete', { id: 'n0' })
  const b = deviceIn(network, 'b', { acks: 0 })
  await soon(() => expect(b.changes).toHaveLength(200))
  expect(await b.notes()).toEqual(await a.notes())

  network.cut('a', 'b')
  await a.write('update', { id: 'n7', title: 'Changed' })
  b.changes.length = 0
  network.heal('a', 'b')
  await soon(() => expect(b.changes).toMatchObject([{ id: 'n7', data: { title: 'Changed' } }]))
})

test('edits of two devices that were apart are merged field by field, and texts letter by letter', async () => {
  const network = peerNetwork()
  const options = { acks: 0, text: ['body'] }
  const [a, b] = [deviceIn(network, 'a', options), deviceIn(network, 'b', options)]
  await allTogether(a, b)
  const { version } = await a.write('create', { id: 'n1', title: 'Milk', body: 'one three' })
  await soon(() => expect(b.changes).toHaveLength(1))
  network.cut('a', 'b')
  await a.write('update', { id: 'n1', title: 'Milk', body: 'one two three' }, { version: version! })
  await b.write('update', { id: 'n1', title: 'Bread', body: 'one three four' }, { version: version! })
  network.heal('a', 'b')
  await soon(async () => expect(await a.notes()).toEqual(await b.notes()))
  expect(await a.notes()).toEqual({ n1: { id: 'n1', title: 'Bread', body: 'one two three four' } })
})

describe('what is stored', () => {
  test('is there at the next start, before any peer is', async () => {
    const storage = mapStorage()
    const first = deviceIn(peerNetwork(), 'a', { acks: 0, storage })
    await first.write('create', { id: 'n1', title: 'Milk' })
    const second = deviceIn(peerNetwork(), 'a', { acks: 0, storage })
    expect(await second.notes()).toEqual({ n1: { id: 'n1', title: 'Milk' } })
  })

  test('is pulled in pages, and from the checkpoint on only what is new', async () => {
    const a = deviceIn(peerNetwork(), 'a', { acks: 0 })
    for (const id of ['n1', 'n2', 'n3']) await a.write('create', { id, title: 'Milk' })
    const pull = (checkpoint: unknown) => firstValueFrom(a.strategy.pull({ checkpoint, limit: 2, owner: '', signal }))
    const first = await pull(undefined)
    expect(first).toMatchObject({ changed: [{ id: 'n1' }, { id: 'n2' }], deleted: [], more: true })
    const second = await pull(first.checkpoint)
    expect(second).toMatchObject({ changed: [{ id: 'n3' }], more: false })
    await a.write('delete', { id: 'n1' })
    expect(await pull(second.checkpoint)).toMatchObject({ changed: [], deleted: ['n1'], more: false })
  })

  test('is pulled from the beginning when it was cleared and filled anew', async () => {
    const network = peerNetwork()
    const before = deviceIn(network, 'a', { acks: 0 })
    for (const id of ['n1', 'n2', 'n3']) await before.write('create', { id, title: 'Milk' })
    const { checkpoint } = await firstValueFrom(
      before.strategy.pull({ checkpoint: undefined, limit: 9, owner: '', signal }),
    )
    const after = deviceIn(network, 'b', { acks: 0 })
    await soon(async () => expect(Object.keys(await after.notes())).toHaveLength(3))
    const page = await firstValueFrom(after.strategy.pull({ checkpoint, limit: 9, owner: '', signal }))
    expect(page.changed).toHaveLength(3)
  })

  test('by a tab that no longer gives it, after another one gave all that it had, is pulled at the next start', async () => {
    const [network, storage] = [peerNetwork(), mapStorage()]
    const start = (name: string, room = peerNetwork()) => deviceIn(room, name, { acks: 0, storage })
    const pull = async (from: Device, checkpoint: unknown, limit: number) =>
      firstValueFrom(from.strategy.pull({ checkpoint, limit, owner: '', signal }))
    const [leaving, other] = [start('a', network), deviceIn(network, 'b', { acks: 0 })]
    await allTogether(leaving, other)
    const second = start('a')
    for (const id of ['n1', 'n2', 'n3', 'n4']) await second.write('create', { id, title: 'Milk' })
    const { checkpoint } = await pull(second, undefined, 9)
    for (const id of ['n5', 'n6']) await other.write('create', { id, title: 'Bread' })
    await soon(() => expect(leaving.changes).toHaveLength(2))

    const first = await pull(start('a'), checkpoint, 1)
    expect(first).toMatchObject({ changed: [{ id: 'n5' }], more: true })
    // That run did not come to its end: the next one goes on.
    const last = await pull(start('a'), first.checkpoint, 1)
    expect(last).toMatchObject({ changed: [{ id: 'n6' }], more: false })
    expect(await pull(start('a'), last.checkpoint, 9)).toMatchObject({ changed: [], more: false })
  })

  test('later than something else that is still being stored does not hide that', async () => {
    const storage = mapStorage()
    let store = () => {}
    const isStored = new Promise<void>((done) => (store = done))
    const slow: MapStorage = {
      ...storage,
      setItem: async (key, value) => {
        if (key.endsWith('/n1')) await isStored
        return storage.setItem(key, value)
      },
    }
    const a = deviceIn(peerNetwork(), 'a', { acks: 0, storage: slow })
    const pull = (checkpoint: unknown) => firstValueFrom(a.strategy.pull({ checkpoint, limit: 9, owner: '', signal }))
    await pull(undefined)
    const written = a.write('create', { id: 'n1', title: 'Milk' })
    await setImmediate()
    await a.write('create', { id: 'n2', title: 'Bread' })
    const first = await pull(undefined)
    expect(first).toMatchObject({ changed: [{ id: 'n2' }] })
    store()
    await written
    expect((await pull(first.checkpoint)).changed).toMatchObject([{ id: 'n1' }, { id: 'n2' }])
  })

  test('by another tab meanwhile is kept', async () => {
    const storage = mapStorage()
    const [one, other] = [
      deviceIn(peerNetwork(), 'a', { acks: 0, storage }),
      deviceIn(peerNetwork(), 'a', { acks: 0, storage }),
    ]
    await one.write('create', { id: 'n1', title: 'Milk' })
    // Fields of their own: of two that do not know of each other chance decides.
    await other.write('create', { id: 'n1', body: 'from another tab' })
    await one.write('update', { id: 'n1', title: 'Bread' })
    const third = deviceIn(peerNetwork(), 'a', { acks: 0, storage })
    expect(await third.notes()).toEqual({ n1: { id: 'n1', title: 'Bread', body: 'from another tab' } })
  })
})
