import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { launchChromium } from '../support/chromium.ts'
import { type DemoApp, openDemo } from '../support/demoApp.ts'
import { server } from '../support/realServer.ts'

let browser: Browser
const contexts: BrowserContext[] = []

beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

beforeEach(() => server.reset())
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close()
})

async function openDevice(): Promise<DemoApp> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  contexts.push(context)
  return openDemo(context, server.url)
}

/** What a device shows, and what the database holds, in one form. */
const shown = ({ by }: DemoApp) => by('note-item').locator('.title, .excerpt, .tags').allTextContents()

async function stored(): Promise<string[]> {
  const tags = await server.rows('tags')
  return Object.values(await server.rows('notes'))
    .toSorted((a, b) => Number(b['updatedAt']) - Number(a['updatedAt']))
    .flatMap(({ title, body, tagIds }) => {
      const named = Array.isArray(tagIds) && tagIds.length > 0 ? tagIds.map((id) => tags[id]?.['name']).join(', ') : []
      return [String(title), String(body) || 'No text yet'].concat(named)
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

  await expect
    .poll(async () => (await stored()).toSorted())
    .toEqual(
      [
        'From a',
        'No text yet',
        'From c',
        'No text yet',
        'Seeds to order in January',
        'Beans and peas',
        'garden',
      ].toSorted(),
    )
  for (const device of devices) await expect.poll(() => shown(device)).toEqual(await stored())
  expect(devices.flatMap(({ complaints }) => complaints)).toEqual([])
})

test('a second device is opened beside the first one, and each has a network of its own', async () => {
  const first = await openDevice()
  await first.write('Written before')
  await first.saved()
  await first.by('second-device').click()
  const [a, b] = ['a', 'b'].map((name) => first.page.frameLocator(`iframe[name="${name}"]`))
  const titles = (frame: typeof a) => frame?.getByTestId('note-item-title').allTextContents()
  await expect.poll(() => titles(b)).toEqual(['Written before'])

  await b?.getByTestId('offline').click()
  await b?.getByTestId('new-note').click()
  await b?.getByTestId('note-title').fill('From the second one')
  await b?.getByTestId('save').click()
  await b?.getByText('Offline, 1 change kept on this device').waitFor()
  await a?.getByText('All changes saved').waitFor()
  expect(await titles(a)).toEqual(['Written before'])

  await b?.getByTestId('offline').click()
  await expect.poll(() => titles(a)).toEqual(['From the second one', 'Written before'])
  expect(first.complaints).toEqual([])
})
