import { expect, test } from 'vitest'
import { deviceIn } from '../../support/p2p/device.ts'
import { mapStorage } from '../../support/p2p/mapStorage.ts'
import { peerNetwork } from '../../support/p2p/peerNetwork.ts'
import { soon } from '../../support/p2p/soon.ts'

test('an entity that two devices made apart is deleted on both when one of them deleted it, and never half of it', async () => {
  // Which write of two wins is up to the names under which they were made, and those to chance.
  for (let time = 0; time < 40; time += 1) {
    const network = peerNetwork()
    network.cut('a', 'b')
    network.cut('a', 'b again')
    const storage = mapStorage()
    const a = deviceIn(network, 'a', { acks: 0 })
    await a.write('create', { id: 'n1', body: 'Milk' })
    const before = deviceIn(network, 'b', { acks: 0, storage })
    await before.write('delete', { id: 'n1' })
    before.leave()
    // Started again, it writes under another name.
    const b = deviceIn(network, 'b again', { acks: 0, storage })
    await b.write('create', { id: 'n1', title: 'Bread' })
    await b.write('delete', { id: 'n1' })
    network.heal('a', 'b again')
    await soon(() => expect([a.changes, b.changes].map((changes) => changes.length)).toEqual([1, 1]))
    expect([await a.notes(), await b.notes(), a.trouble, b.trouble]).toEqual([{}, {}, [], []])
    for (const device of [a, b]) device.leave()
  }
})

test('an entity that was deleted on two devices comes back when somebody who heard of both creates it', async () => {
  const network = peerNetwork()
  const [a, b] = [deviceIn(network, 'a', { acks: 0 }), deviceIn(network, 'b', { acks: 0 })]
  await a.write('create', { id: 'n1', title: 'Milk', body: 'two' })
  await soon(() => expect(b.changes).toHaveLength(1))
  network.cut('a', 'b')
  for (const device of [a, b]) await device.write('delete', { id: 'n1' })
  network.heal('a', 'b')
  await soon(() => expect([a.changes.length, b.changes.length]).toEqual([1, 2]))
  await a.write('create', { id: 'n1', title: 'Bread' })
  await soon(async () => expect(await b.notes()).toEqual({ n1: { id: 'n1', title: 'Bread' } }))
  expect(await a.notes()).toEqual(await b.notes())
})
