import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { bareApp } from '../support/builtBareApp.ts'
import { launchChromium } from '../support/chromium.ts'
import { server } from '../support/realServer.ts'
import { serveFromDisk } from '../support/serveFromDisk.ts'
import { becomes, openTab, type Tab } from '../support/tab.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())
beforeEach(() => server.reset())

async function signIn({ page }: Tab, owner: string): Promise<void> {
  await page.evaluate((name) => window.bare.owner$.next(name), owner)
}

async function create({ page }: Tab, id: string): Promise<void> {
  await page.evaluate((name) => window.bare.outbox.created('note', { id: name, text: 'new' }).durable, id)
}

/** Who sent which note, as whom. */
function sentBy(tab: Tab): string[] {
  const sent = tab.sent.map(({ owner, what }) => `${/"id":"([^"]*)"/.exec(what)?.[1]} as ${owner}`)
  return [...new Set(sent)].sort()
}

test('when the owner changes in one tab, what was written for the other one is sent by the other tab, as his', async () => {
  await using context = await browser.newContext()
  await serveFromDisk(context, server.url, bareApp)
  await server.setFaults({ errorRate: 1 })
  const first = await openTab(context, server.url)
  await signIn(first, 'ann')
  await becomes(first, 'leader')
  const second = await openTab(context, server.url)
  await signIn(second, 'ann')
  await becomes(second, 'follower')
  await create(first, 'ann1')
  await create(second, 'ann2')

  await signIn(second, 'bob')
  await create(second, 'bob1')
  await becomes(second, 'leader')
  await server.setFaults({})
  for (const { page } of [first, second]) await page.evaluate(() => window.bare.drained())
  await expect.poll(async () => Object.keys(await server.rows('notes')).sort()).toEqual(['ann1', 'ann2', 'bob1'])
  expect(sentBy(first)).toEqual(['ann1 as ann', 'ann2 as ann'])
  expect(sentBy(second)).toEqual(['bob1 as bob'])
  const known = await second.page.evaluate(async () => [...(await window.bare.outbox.metadata('note')).keys()])
  expect(known).toEqual(['bob1'])

  // Back again: he follows, and sees what went meanwhile.
  await signIn(second, 'ann')
  await becomes(second, 'follower')
  await create(second, 'ann3')
  await expect.poll(() => sentBy(first)).toEqual(['ann1 as ann', 'ann2 as ann', 'ann3 as ann'])
  await expect
    .poll(() => second.page.evaluate(async () => [...(await window.bare.outbox.metadata('note')).keys()].sort()))
    .toEqual(['ann1', 'ann2', 'ann3'])
  expect(sentBy(second)).toEqual(['bob1 as bob'])
})
