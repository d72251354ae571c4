import { expect, test } from 'vitest'
import { type DemoApp, type DemoScreen, demoScreen, loaded } from '../support/demoApp.ts'
import { demoDevices } from '../support/demoDevices.ts'
import { server } from '../support/realServer.ts'

const openDevice = demoDevices()

/** What a device shows, and what the database holds, in one form. */
const shown = ({ by }: DemoApp) => by('note-item').locator('.title, .excerpt, .tags').allTextContents()

async function stored(): Promise<string[]> {
  const tags = await server.rows('tags')
  return Object.values(await server.rows('notes'))
    .toSorted((a, b) => Number(b['updatedAt']) - Number(a['updatedAt']))
    .flatMap(({ title, body, tagIds }) => {
      const names = Array.isArray(tagIds) ? tagIds.map((id: unknown) => String(tags[String(id)]?.['name'])) : []
      return [String(title), String(body) || 'No text yet', names.join(', ')].filter(Boolean)
    })
}

test.each([
  ['in the order they wrote', [0, 1, 2]],
  ['the last one first', [2, 0, 1]],
])('three devices write offline, come back %s, and end equal to each other and to the database', async (_, order) => {
  const [a, b, c] = [await openDevice(), await openDevice(), await openDevice()]
  const devices = [a, b, c]
  await a.write('Seeds to order', 'Beans')
  await a.write('Given up', 'by b')
  for (const device of devices) await device.noteIs('Given up', 'synced')

  for (const device of devices) await device.turn('offline', 'on')
  await a.change('Seeds to order', { title: 'Seeds to order in January' })
  await a.write('From a')
  await b.change('Seeds to order', { body: 'Beans and peas' })
  await b.remove('Given up')
  await c.change('Seeds to order', { tag: 'garden' })
  await c.write('From c')
  for (const n of order) {
    await devices[n]?.turn('offline', 'off')
    await devices[n]?.saved()
  }

  const expected = ['From a', 'No text yet', 'From c', 'No text yet']
  expected.push('Seeds to order in January', 'Beans and peas', 'garden')
  await expect.poll(async () => (await stored()).toSorted()).toEqual(expected.toSorted())
  for (const device of devices) await expect.poll(() => shown(device)).toEqual(await stored())
  expect(devices.flatMap(({ complaints }) => complaints)).toEqual([])
})

/** Opens the second device beside the first one: each is a frame of the page then. */
async function beside({ page, by }: DemoApp): Promise<{ a: DemoScreen; b: DemoScreen }> {
  async function deviceIn(name: string): Promise<DemoScreen> {
    const frame = await (await page.locator(`iframe[name="${name}"]`).elementHandle())?.contentFrame()
    if (!frame) throw new Error(`There is no frame ${name}.`)
    await loaded(frame)
    return demoScreen(frame)
  }
  await by('second-device').click()
  return { a: await deviceIn('a'), b: await deviceIn('b') }
}

test('a second device is opened beside the first one, and each has a network of its own', async () => {
  // Wide enough for the list and the editor in either half.
  const first = await openDevice(server.url, { viewport: { width: 1600, height: 800 } })
  await first.write('Written before')
  await first.saved()
  const { a, b } = await beside(first)
  await b.noteIs('Written before', 'synced')

  await b.turn('offline', 'on')
  await b.write('From the second one')
  await b.says('Offline, 1 change kept on this device')
  await a.saved()
  expect(await a.titles()).toEqual(['Written before'])

  await b.turn('offline', 'off')
  await a.noteIs('From the second one', 'synced')
  expect(await a.titles()).toEqual(['From the second one', 'Written before'])
  expect(first.complaints).toEqual([])
})
