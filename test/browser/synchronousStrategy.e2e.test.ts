import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bareApp } from '../support/builtBareApp.ts'
import { launchChromium } from '../support/chromium.ts'
import { serveFromDisk } from '../support/serveFromDisk.ts'
import { openTab } from '../support/tab.ts'

const many = 10_000
/** Nothing listens there: the app comes from the disk. */
const url = 'http://127.0.0.1:1'
const ids = Array.from({ length: many }, (_, n) => ({ id: `l${n}` }))
let browser: Browser

beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

test('10,000 tasks answered within the call drain as they come', async () => {
  await using context = await browser.newContext()
  await serveFromDisk(context, url, bareApp)
  const { page, complaints } = await openTab(context, url)

  await write(page)
  expect(await whatBecameOfThem(page)).toEqual({ persisted: many, others: 0, delivered: ids, errors: [] })
  expect(complaints).toEqual([])
})

test('10,000 tasks that waited for a restart drain in order, 8 at a time', async () => {
  await using context = await browser.newContext()
  await serveFromDisk(context, url, bareApp)
  const { page, complaints } = await openTab(context, `${url}/?offline`)

  await write(page)
  await page.goto(`${url}/?concurrency=8`)
  expect(await whatBecameOfThem(page)).toEqual({ persisted: many, others: 0, delivered: ids, errors: [] })
  expect(complaints).toEqual([])
})

/** All in one tick; resolves when all are durable. */
async function write(page: Page): Promise<void> {
  await page.evaluate(async (lines) => {
    const { created } = window.bare.outbox
    await Promise.all(lines.map((line) => created('line', line).durable))
  }, ids)
}

async function whatBecameOfThem(page: Page) {
  return page.evaluate(async () => {
    const { drained, results, lines, errors } = window.bare
    await drained()
    const persisted = new Set(results.filter(({ status }) => status === 'persisted').map(({ taskId }) => taskId)).size
    return { persisted, others: results.length - persisted, delivered: lines, errors }
  })
}
