import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Persistence } from '../../lib/api.ts'
import type { StorageStatus } from '../../lib/types.ts'
import { buildLibraryPage, libraryPage } from '../support/builtLibrary.ts'
import { launchChromium } from '../support/chromium.ts'
import { openTab } from '../support/tab.ts'

declare global {
  var plain: { outbox: Persistence<{ note: { id: string } }>; received: unknown[]; files: () => Promise<string[]> }
}

/** Nothing listens there: the page comes from the disk. */
const url = 'http://127.0.0.1:1'
let browser: Browser

beforeAll(async () => {
  await buildLibraryPage()
  browser = await launchChromium()
})
afterAll(() => browser.close())

async function serve(context: BrowserContext, policy = ''): Promise<void> {
  await context.route('**', (route) => {
    const { pathname } = new URL(route.request().url())
    // The worker's file may lie anywhere.
    const file = pathname === '/' ? 'index.html' : pathname.replace('/elsewhere/', '/dist/storage/')
    return route.fulfill({
      path: join(libraryPage, file),
      headers: policy ? { 'content-security-policy': policy } : {},
    })
  })
}

/** Delivers a note, and says where it was kept. */
async function written(page: Page): Promise<StorageStatus> {
  await page.waitForFunction(() => 'plain' in globalThis)
  return page.evaluate(async () => {
    const { outbox } = globalThis.plain
    const receipt = outbox.created('note', { id: 'n1' })
    await receipt.durable
    await receipt.settled
    await outbox.idle()
    return new Promise((resolve) => {
      outbox.status$.subscribe(({ storage }) => resolve(storage))
    })
  })
}

test('a page without a bundler imports the library as it is published, and writes files', async () => {
  await using context = await browser.newContext()
  await serve(context)
  const { page, complaints } = await openTab(context, url)
  expect(await written(page)).toMatchObject({ kind: 'opfs', survives: 'kill', state: 'ok' })
  expect(await page.evaluate(() => globalThis.plain.received)).toEqual([{ id: 'n1' }])
  expect(await page.evaluate(() => globalThis.plain.files())).toEqual(['leader'])
  expect(complaints).toEqual([])
})

const strict = `default-src 'none'; script-src 'self' 'nonce-abc'; img-src data:; worker-src ${url}/elsewhere/`

test('under a strict policy the option workerUrl says from where a worker may come', async () => {
  await using context = await browser.newContext()
  await serve(context, strict)
  const { page } = await openTab(context, `${url}/?worker=/elsewhere/opfsWorker.js`)
  expect(await written(page)).toMatchObject({ kind: 'opfs', state: 'ok' })
  expect(await page.evaluate(() => globalThis.plain.files())).toEqual(['leader'])
})

test('without it nothing breaks: localforage is chosen, and the status says why', async () => {
  await using context = await browser.newContext()
  await serve(context, strict)
  const { page } = await openTab(context, url)
  const { kind, why, survives } = await written(page)
  expect([kind, survives]).toEqual(['localforage', 'reload'])
  expect(why).toMatch(/^opfs: /)
})
