import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { bareApp } from '../support/builtBareApp.ts'
import { launchChromium } from '../support/chromium.ts'
import { server } from '../support/realServer.ts'
import { serveFromDisk } from '../support/serveFromDisk.ts'
import { becomes, openTab, statusOf, type Tab } from '../support/tab.ts'

let browser: Browser
let context: BrowserContext
let leader: Tab
let follower: Tab

beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

beforeEach(async () => {
  await server.reset()
  context = await browser.newContext()
  await serveFromDisk(context, server.url, bareApp)
  leader = await openTab(context, `${server.url}/?retries=0`)
  await becomes(leader, 'leader')
  follower = await openTab(context, `${server.url}/?retries=0`)
  await becomes(follower, 'follower')
})
afterEach(() => context.close())

async function inBoth(expected: object): Promise<void> {
  for (const tab of [leader, follower]) await expect.poll(() => statusOf(tab)).toMatchObject(expected)
}

async function create({ page }: Tab, ids: string[]): Promise<void> {
  await page.evaluate(async (all) => {
    await Promise.all(all.map((id) => window.bare.outbox.created('note', { id, text: 'new' }).durable))
  }, ids)
}

const notes = async () => Object.keys(await server.rows('notes')).sort()

function resultsOf({ page }: Tab): Promise<string[]> {
  return page.evaluate(() => window.bare.results.map(({ id, status }) => `${id} ${status}`))
}

test('a tab that follows sees the dead letters, retries one and discards another', async () => {
  await server.setFaults({ errorRate: 1 })
  await create(leader, ['n1'])
  await create(follower, ['n2'])
  await inBoth({ dead: 2, waiting: 0, pending: 0 })
  await server.setFaults({})

  await follower.page.evaluate(async () => {
    const { dead$, retry, discard } = window.bare.outbox
    const dead = new Map<string, string>()
    dead$.subscribe((tasks) => tasks.forEach(({ entityId, id }) => dead.set(entityId, id))).unsubscribe()
    await retry(dead.get('n1') ?? '')
    await discard(dead.get('n2') ?? '')
  })
  await inBoth({ dead: 0, waiting: 0, pending: 0, processing: 0 })
  expect(await notes()).toEqual(['n1'])
  expect(follower.sent).toEqual([])
  for (const tab of [leader, follower]) {
    await expect.poll(() => resultsOf(tab)).toEqual(expect.arrayContaining(['n1 failed', 'n2 failed', 'n1 persisted']))
    const metadata = await tab.page.evaluate(() => window.bare.outbox.metadata('note', 'n1'))
    expect(metadata).toMatchObject({ syncStatus: 'synced' })
  }
})

test('a tab that follows pauses and resumes delivery for all', async () => {
  await follower.page.evaluate(() => window.bare.outbox.pause())
  await inBoth({ paused: true })
  await create(leader, ['n1'])
  await create(follower, ['n2'])
  await inBoth({ paused: true, waiting: 2, processing: 0 })
  expect(await notes()).toEqual([])

  await follower.page.evaluate(() => window.bare.outbox.resume())
  await inBoth({ paused: false, waiting: 0, pending: 0, processing: 0 })
  expect(await notes()).toEqual(['n1', 'n2'])
})

test('a tab that follows signs in for all', async () => {
  await server.setFaults({ unauthorized: true })
  await create(leader, ['n1'])
  await inBoth({ authRequired: ['note'], waiting: 1, processing: 0 })
  await server.setFaults({})

  await follower.page.evaluate(() => window.bare.outbox.authorized('note'))
  await inBoth({ authRequired: [], waiting: 0, pending: 0, processing: 0 })
  expect(await notes()).toEqual(['n1'])
})
