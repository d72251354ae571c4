import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Persistence } from '../../lib/api.ts'
import type { PeerTrouble } from '../../strategies/p2p/trouble.ts'
import { buildLibraryPage, libraryPage } from '../support/builtLibrary.ts'
import { launchChromium } from '../support/chromium.ts'
import { staticServer } from '../support/p2p/staticServer.ts'
import { openTab, type Tab } from '../support/tab.ts'

interface Note {
  id: string
  title: string
  body?: string
}

declare global {
  var peer: {
    outbox: Persistence<{ note: Note }>
    trouble: PeerTrouble[]
    devices: () => number
    notes: () => Promise<Record<string, Note>>
  }
}

/** As a browser is that is allowed to use microphone and camera: it shows all addresses of the device. */
const permissions = ['microphone', 'camera']
let browser: Browser

beforeAll(async () => {
  await buildLibraryPage()
  browser = await launchChromium()
})
afterAll(() => browser.close())

async function open(context: BrowserContext, url: string): Promise<Tab> {
  const tab = await openTab(context, url)
  await tab.page.waitForFunction(() => 'peer' in globalThis)
  return tab
}

const devices = (page: Page) => page.evaluate(() => globalThis.peer.devices())
const notes = (page: Page) => page.evaluate(() => globalThis.peer.notes())
const trouble = (page: Page) => page.evaluate(() => globalThis.peer.trouble)

/** Says that the note was written, and how its task ends. */
function write(page: Page, operation: 'created' | 'updated', note: Note): Promise<string> {
  return page.evaluate(async ([name, data]) => (await globalThis.peer.outbox[name]('note', data).settled).status, [
    operation,
    note,
  ] as const)
}

async function areTogether(...pages: Page[]): Promise<void> {
  for (const page of pages) await expect.poll(() => devices(page)).toBe(pages.length - 1)
}

test('two browsers find each other over a relay, exchange notes, and go on when the server is gone', async () => {
  const server = await staticServer(libraryPage)
  await using one = await browser.newContext({ permissions })
  await using other = await browser.newContext({ permissions })
  const [a, b] = [
    await open(one, `${server.url}/p2p.html?relay=/signal&device=a`),
    await open(other, `${server.url}/p2p.html?relay=/signal&device=b`),
  ]
  await areTogether(a.page, b.page)
  expect(await write(a.page, 'created', { id: 'n1', title: 'Milk', body: 'two bottles' })).toBe('persisted')
  expect(await notes(b.page)).toEqual({ n1: { id: 'n1', title: 'Milk', body: 'two bottles' } })

  await server.close()
  expect(await write(b.page, 'created', { id: 'n2', title: 'Bread' })).toBe('persisted')
  expect(await notes(a.page)).toMatchObject({ n1: { title: 'Milk' }, n2: { title: 'Bread' } })
  // Of a size that travels in many pieces.
  const body = 'long '.repeat(60_000)
  expect(await write(a.page, 'created', { id: 'n3', title: 'Long', body })).toBe('persisted')
  expect((await notes(b.page))['n3']?.body).toBe(body)
  expect(server.asked.filter((path) => !/\.(html|js)$/.test(path))).toEqual([])
  expect([...a.complaints, ...b.complaints].filter((text) => !/WebSocket|ERR_CONNECTION/.test(text))).toEqual([])
})

test('two tabs find each other without any server, over a BroadcastChannel', async () => {
  await using context = await browser.newContext({ permissions })
  // Nothing listens there: the pages come from the disk.
  const url = 'http://127.0.0.1:1'
  await context.route('**', (route) =>
    route.fulfill({ path: join(libraryPage, new URL(route.request().url()).pathname) }),
  )
  const [a, b] = [await open(context, `${url}/p2p.html?device=a`), await open(context, `${url}/p2p.html?device=b`)]
  await areTogether(a.page, b.page)
  expect(await write(a.page, 'created', { id: 'n1', title: 'Milk' })).toBe('persisted')
  expect(await notes(b.page)).toEqual({ n1: { id: 'n1', title: 'Milk' } })

  await b.page.close()
  expect(await notes(a.page)).toEqual({ n1: { id: 'n1', title: 'Milk' } })
  const again = await open(context, `${url}/p2p.html?device=b`)
  expect(await notes(again.page)).toEqual({ n1: { id: 'n1', title: 'Milk' } })
  expect([...a.complaints, ...again.complaints]).toEqual([])
})

describe('what keeps devices apart is said', () => {
  test('another password', async () => {
    const server = await staticServer(libraryPage)
    await using one = await browser.newContext({ permissions })
    await using other = await browser.newContext({ permissions })
    const a = await open(one, `${server.url}/p2p.html?relay=/signal&device=a`)
    const b = await open(other, `${server.url}/p2p.html?relay=/signal&device=b&password=wrong`)
    await expect
      .poll(async () => [...(await trouble(a.page)), ...(await trouble(b.page))])
      .toContainEqual(expect.objectContaining({ what: 'password' }))
    expect([await devices(a.page), await devices(b.page)]).toEqual([0, 0])
    await server.close()
  })

  test('a browser that shows no address', async () => {
    const policy = 'webrtc-ip-handling-policy=disable_non_proxied_udp'
    // Chromium and its headless shell call it differently.
    await using shy = await launchChromium(`--${policy}`, `--force-${policy}`)
    const server = await staticServer(libraryPage)
    await using context = await shy.newContext()
    const { page } = await open(context, `${server.url}/p2p.html?relay=/signal`)
    await expect
      .poll(() => trouble(page))
      .toContainEqual(
        expect.objectContaining({ what: 'no-candidates', message: expect.stringContaining('microphone or camera') }),
      )
    await server.close()
  })
})
