import * as fc from 'fast-check'
import { p2pStrategy } from 'rx-outbox/p2p'
import { expect, test } from 'vitest'
import { type History, history, MergingDevices, type Page, type Shared } from '../../support/mergingDevices.ts'
import { mapStorage } from '../../support/p2p/mapStorage.ts'
import { peerNetwork } from '../../support/p2p/peerNetwork.ts'
import type { VirtualTime } from '../../support/virtualTime.ts'

/** Histories of several devices each. */
const numRuns = Number(process.env['HISTORIES'] ?? 100)

/** A room in memory; each device has documents that outlive its app. */
const share =
  (count: number, acks: number) =>
  ({ scheduler }: VirtualTime): Shared => {
    const network = peerNetwork((deliver) => void scheduler.schedule(() => deliver(), 1))
    const names = Array.from({ length: count }, (_, device) => `${device}/1`)
    const isCut = names.map(() => false)
    return {
      wayOf(device) {
        const storage = mapStorage()
        let runs = 0
        const apart = (isApart: boolean) => {
          for (const [other, name] of names.entries())
            if (other !== device) network[isApart || isCut[other] ? 'cut' : 'heal'](names[device] ?? '', name)
        }
        return {
          strategy() {
            // A run leaves the room a while after the app was closed: here at once.
            if (runs > 0) apart(true)
            names[device] = `${device}/${++runs}`
            apart(isCut[device] ?? false)
            return p2pStrategy<Page>({
              room: 'pages',
              transport: network.transport(names[device]),
              storage,
              acks,
              text: ['body'],
              scheduler,
            })
          },
          cut: () => apart((isCut[device] = true)),
          mend: () => apart((isCut[device] = false)),
        }
      },
    }
  }

async function begun(how: Omit<History, 'happenings'>, acks: number): Promise<MergingDevices> {
  const world = new MergingDevices(share(how.devices, acks), how)
  await world.time.pass(1_000)
  return world
}

const type = (device: number, place = 0) => ({ device, does: 'type', page: 0, place }) as const

test.each([
  [0, 1],
  [1, 0],
])('a text edited on both sides offline is whole on both, whoever comes back first: %i, %i', async (first, second) => {
  const world = await begun({ devices: 2, quiet: 500 }, 1)
  await world.happen(type(0))
  await world.time.pass(1_000)
  for (const device of [0, 1]) await world.happen({ device, does: 'go offline' })
  for (const device of [0, 1, 0, 1, 0]) await world.happen(type(device, device))
  for (const device of [first, second]) {
    await world.happen({ device, does: 'go online' })
    // What is typed while the others' edits come in.
    await world.happen(type(device, 1))
    await world.happen(type(device, 2))
  }
  await world.settleDown()
  expect(world.wrong).toEqual([])
  await world.close()
})

test('what another device wrote shows here, also when an edit that changes nothing was on its way, and others came', async () => {
  const world = await begun({ devices: 2, quiet: 0 }, 1)
  await world.happen(type(0))
  await world.time.pass(20_000)
  await world.happen(type(0))
  for (const device of [1, 0]) await world.happen({ ...type(device), page: 1 })
  await world.happen({ device: 1, does: 'erase', page: 0, place: 9 })
  await world.settleDown()
  expect(world.wrong).toEqual([])
  await world.close()
})

test(
  'whatever several devices type, in whatever order they meet, they agree, and no letter is lost',
  async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.constantFrom(0, 1), async (drawn, acks) => {
        const world = await begun(drawn, acks)
        await world.live(drawn.happenings)
        await world.settleDown()
        await world.close()
        expect(world.wrong).toEqual([])
      }),
      { numRuns },
    )
  },
  numRuns * 400,
)
