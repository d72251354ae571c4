import * as fc from 'fast-check'
import { crdtStrategy } from 'rx-outbox/crdt'
import { expect, test } from 'vitest'
import { readEntity } from '../../../strategies/crdt/entityDoc.ts'
import { memoryStorage } from '../../support/crdt/device.ts'
import { memoryServer } from '../../support/crdt/memoryServer.ts'
import { type History, history, inOrder, MergingDevices, type Page, type Shared } from '../../support/mergingDevices.ts'

/** Histories of several devices each. */
const numRuns = Number(process.env['HISTORIES'] ?? 100)

/** Documents on a server in memory; each device has a line to it, and copies that outlive its app. */
function share(): Shared {
  const server = memoryServer()
  return {
    wayOf() {
      const line = server.line()
      const storage = memoryStorage()
      return {
        ...line,
        strategy: () =>
          crdtStrategy<Page>({
            collection: 'pages',
            url: '',
            text: ['body'],
            storage,
            connect: () => line.connection,
          }),
      }
    },
    held() {
      const pages = [...server.docs].flatMap(([name, doc]) => {
        const read = name.includes('/') ? readEntity(doc) : undefined
        return read?.is === 'alive' ? [inOrder(read.data as unknown as Page)] : []
      })
      return Object.fromEntries(pages.sort((a, b) => (a.id < b.id ? -1 : 1)).map((row) => [row.id, row]))
    },
  }
}

async function begun(how: Omit<History, 'happenings'>): Promise<MergingDevices> {
  const world = new MergingDevices(share, how)
  await world.time.pass(1_000)
  return world
}

const type = (device: number, place = 0) => ({ device, does: 'type', page: 0, place }) as const

test.each([
  [0, 1],
  [1, 0],
])('a text edited on both sides offline is whole on both, whoever comes back first: %i, %i', async (first, second) => {
  const world = await begun({ devices: 2, quiet: 500 })
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

test(
  'whatever several devices type, in whatever order they come back, they and the server agree, and no letter is lost',
  async () => {
    await fc.assert(
      fc.asyncProperty(history, async (drawn) => {
        const world = await begun(drawn)
        await world.live(drawn.happenings)
        await world.settleDown()
        await world.close()
        expect([world.wrong, world.time.timers]).toEqual([[], 0])
      }),
      { numRuns },
    )
  },
  numRuns * 400,
)
