import { setImmediate } from 'node:timers/promises'
import * as fc from 'fast-check'
import type { Operation } from 'rx-outbox'
import { expect, test } from 'vitest'
import { type Device, deviceIn, type Note } from '../../support/p2p/device.ts'
import { mapStorage } from '../../support/p2p/mapStorage.ts'
import { peerNetwork } from '../../support/p2p/peerNetwork.ts'
import { soon } from '../../support/p2p/soon.ts'

const text = ['body']
const ids = ['n1', 'n2'] as const

/** Histories of several devices each. */
const numRuns = Number(process.env['HISTORIES'] ?? 300)

type Step =
  | { does: 'write'; device: number; operation: Operation; id: string; note: Partial<Note> }
  /** One message arrives: the oldest of one of the wires. */
  | { does: 'deliver'; wire: number; count: number }
  /** One message is lost on the way. */
  | { does: 'lose'; wire: number }
  | { does: 'cut' | 'heal'; device: number; other: number }
  /** Closed and opened again, from what is stored. */
  | { does: 'restart'; device: number }

const device = fc.nat(3)
const word = fc.constantFrom('', 'a', 'bc', 'milk and bread', '🥛', 'x'.repeat(40))
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('write' as const),
      device,
      operation: fc.constantFrom('create', 'update', 'update', 'update', 'delete'),
      id: fc.constantFrom(...ids),
      note: fc.record({ title: word, body: word, done: fc.boolean() }, { requiredKeys: [] }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('deliver' as const),
      wire: fc.nat(11),
      count: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('lose' as const), wire: fc.nat(11) }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constantFrom('cut' as const, 'heal' as const), device, other: device }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('restart' as const), device }) },
)

/** Everything that needs no message to arrive. */
async function settle(): Promise<void> {
  for (let count = 0; count < 3; count += 1) await setImmediate()
}

async function run(size: number, steps: Step[]): Promise<void> {
  const network = peerNetwork('by hand')
  const storages = Array.from({ length: size }, () => mapStorage())
  /** What each app has seen: the version that its next write builds on. */
  const seen = storages.map(() => new Map<string, string | number | undefined>())
  let opened = 0
  const open = (index: number): Device => {
    opened += 1
    return deviceIn(network, `${index}/${opened}`, { storage: storages[index]!, acks: 0, text })
  }
  const devices = storages.map((_, index) => open(index))
  const apart = new Set<string>()
  const at = (index: number) => index % size
  const setApart = (a: number, b: number, isApart: boolean) => {
    if (a === b) return
    apart[isApart ? 'add' : 'delete']([a, b].sort().join())
    network[isApart ? 'cut' : 'heal'](devices[a]!.name, devices[b]!.name)
  }

  try {
    for (const one of steps) {
      switch (one.does) {
        case 'write': {
          const index = at(one.device)
          const version = seen[index]?.get(one.id)
          const changes = devices[index]!.changes.filter((change) => 'id' in change && change.id === one.id)
          const newest = changes.at(-1)
          const base = newest && 'version' in newest ? newest.version : version
          const receipt = await devices[index]!.write(
            one.operation,
            { id: one.id, ...one.note },
            base === undefined ? {} : { version: base },
          )
          seen[index]?.set(one.id, receipt.version)
          devices[index]!.changes.length = 0
          break
        }
        case 'deliver': {
          const wires = network.wires()
          const wire = wires[one.wire % Math.max(1, wires.length)]
          for (let count = 0; count < one.count; count += 1) wire?.deliver()
          await settle()
          break
        }
        case 'lose': {
          const wires = network.wires()
          wires[one.wire % Math.max(1, wires.length)]?.waiting.shift()
          break
        }
        case 'cut':
        case 'heal':
          setApart(at(one.device), at(one.other), one.does === 'cut')
          break
        case 'restart': {
          const index = at(one.device)
          devices[index]!.leave()
          // The room is left some seconds later; here at once.
          for (const other of devices) if (other !== devices[index]) network.cut(other.name, devices[index]!.name)
          devices[index] = open(index)
          for (const pair of apart) {
            const [a, b] = pair.split(',').map(Number)
            if (a === index || b === index) setApart(a!, b!, true)
          }
          await settle()
          break
        }
      }
    }

    // In the end everybody meets everybody again, and nothing is lost any more.
    for (let a = 0; a < size; a += 1)
      for (let b = a + 1; b < size; b += 1) {
        setApart(a, b, true)
        setApart(a, b, false)
      }
    await settle()
    for (let rounds = 0; network.wires().length > 0; rounds += 1) {
      expect(rounds).toBeLessThan(1_000)
      for (const wire of network.wires()) wire.deliver()
      await settle()
    }

    const [first, ...others] = await Promise.all(devices.map((one) => one.notes()))
    for (const other of others) expect(other).toEqual(first)
    for (const one of devices) expect(one.trouble.filter(({ what }) => what !== 'refused')).toEqual([])
  } finally {
    for (const one of devices) one.leave()
  }
}

test(
  'two to four devices that write, miss messages, are cut off and restarted agree when they meet again',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 4 }), fc.array(step, { minLength: 5, maxLength: 30 }), run),
      { numRuns },
    )
  },
  numRuns * 400,
)

test('devices that are not all connected reach each other over others', async () => {
  const network = peerNetwork()
  network.cut('a', 'c')
  const [a, b, c] = ['a', 'b', 'c'].map((name) => deviceIn(network, name, { acks: 0 }))
  await soon(() => expect([a!.devices(), b!.devices(), c!.devices()]).toEqual([1, 2, 1]))
  await a!.write('create', { id: 'n1', title: 'Milk' })
  await soon(async () => expect(await c!.notes()).toEqual({ n1: { id: 'n1', title: 'Milk' } }))
  expect(b!.changes).toHaveLength(1)
})
