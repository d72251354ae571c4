import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { decodeMessage } from '../../../strategies/p2p/message.ts'
import { deviceIn } from '../../support/p2p/device.ts'
import { type PeerNetwork, peerNetwork } from '../../support/p2p/peerNetwork.ts'
import { soon } from '../../support/p2p/soon.ts'

async function deliverAll(network: PeerNetwork): Promise<void> {
  for (let quiet = 0; quiet < 3; quiet += 1) {
    for (const wire of network.wires()) {
      wire.deliver()
      quiet = 0
    }
    await setImmediate()
  }
}

async function twoDevices() {
  const network = peerNetwork('by hand')
  const [a, b] = [deviceIn(network, 'a', { acks: 0 }), deviceIn(network, 'b', { acks: 0 })]
  await soon(() => expect(network.wires()).toHaveLength(2))
  const lose = (from: string, is: string) => {
    const wire = network.wires().find((one) => one.from === from)
    expect(decodeMessage(wire!.waiting[0]!).is).toBe(is)
    wire!.waiting.shift()
  }
  return { network, a, b, lose }
}

test('an update that gets lost is noticed with the next one, whatever that is about', async () => {
  const { network, a, b, lose } = await twoDevices()
  await deliverAll(network)
  await a.write('create', { id: 'n1', title: 'Milk' })
  lose('a', 'update')
  await deliverAll(network)
  expect(await b.notes()).toEqual({})
  await a.write('create', { id: 'n2', title: 'Bread' })
  await deliverAll(network)
  expect(Object.keys(await b.notes()).sort()).toEqual(['n1', 'n2'])
  expect([...a.trouble, ...b.trouble]).toEqual([])
})

test('an edit whose base got lost is not taken before the base is there', async () => {
  const { network, a, b, lose } = await twoDevices()
  await deliverAll(network)
  const created = await a.write('create', { id: 'n1', title: 'Milk' })
  lose('a', 'update')
  await a.write('update', { id: 'n1', title: 'Bread' }, created)
  await deliverAll(network)
  expect(await b.notes()).toEqual({ n1: { id: 'n1', title: 'Bread' } })
  expect(a.trouble).toMatchObject([{ what: 'refused', message: expect.stringContaining('did not come') as string }])
})

test('a hello that gets lost is asked for', async () => {
  const { network, a, b, lose } = await twoDevices()
  lose('a', 'have')
  await deliverAll(network)
  expect([a.devices(), b.devices()]).toEqual([1, 0])
  await a.write('create', { id: 'n1', title: 'Milk' })
  await deliverAll(network)
  expect(await b.notes()).toEqual({ n1: { id: 'n1', title: 'Milk' } })
  expect([a.devices(), b.devices()]).toEqual([1, 1])
})
