import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { bareApp } from '../support/builtBareApp.ts'
import { launchChromium, launchProfile } from '../support/chromium.ts'
import { rememberOffline, setOffline } from '../support/network.ts'
import { server } from '../support/realServer.ts'
import { openTab, type SentWrite, type Tab } from '../support/tab.ts'
import { serveFromDisk } from '../support/serveFromDisk.ts'
import { endHistory, endState, historyOf, writeBefore, writeFirstHalf, writeSecondHalf } from './writeStory.ts'

let browser: Browser
let context: BrowserContext

beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

beforeEach(async () => {
  await server.reset()
  context = await browser.newContext()
})
afterEach(() => context.close())

/** A day that begins online, goes on offline, survives a reload, and waits for the network. */
async function dayOffline(at: BrowserContext, concurrency: number): Promise<Tab> {
  await serveFromDisk(at, server.url, bareApp)
  await rememberOffline(at)
  const tab = await openTab(at, `${server.url}/?concurrency=${concurrency}`)
  await writeBefore(tab.page)
  await setOffline(at, true)
  tab.sent.length = 0
  await writeFirstHalf(tab.page)
  await tab.page.reload()
  await writeSecondHalf(tab.page)
  expect(tab.sent).toEqual([])
  return tab
}

async function expectEndState(): Promise<void> {
  const rows = Object.entries(await server.rows('notes')).map(([id, { text }]) => [id, text])
  expect(Object.fromEntries(rows)).toEqual(endState())
  const applied = await server.applied()
  expect(historyOf(applied)).toEqual(endHistory())
  expect(new Set(applied.map(({ key }) => key)).size).toBe(applied.length)
}

/** One key stands for one request, and one request has one key, however often it is sent. */
function expectFrozen(sent: readonly SentWrite[]): void {
  const keys = new Set(sent.map(({ key }) => key))
  const whats = new Set(sent.map(({ what }) => what))
  const pairs = new Set(sent.map(({ key, what }) => `${key} ${what}`))
  expect(keys.has(undefined)).toBe(false)
  expect([keys.size, whats.size]).toEqual([pairs.size, pairs.size])
}

test.each([1, 4])('what was written offline arrives once and in order, %i at a time', async (concurrency) => {
  const { page, sent, complaints } = await dayOffline(context, concurrency)

  await setOffline(context, false)
  await page.evaluate(() => window.bare.drained())

  await expectEndState()
  expectFrozen(sent)
  expect(new Set(sent.map(({ key }) => key)).size).toBe(sent.length)
  expect(complaints).toEqual([])
})

test.each([1, 4])(
  'a server that loses half of its answers applies nothing twice, %i at a time',
  async (concurrency) => {
    const { page, sent, unanswered } = await dayOffline(context, concurrency)

    await server.setFaults({ loseAnswers: 0.5, seed: 7 })
    await setOffline(context, false)
    await page.evaluate(() => window.bare.drained())

    expect(unanswered.length).toBeGreaterThan(5)
    await expectEndState()
    expectFrozen(sent)
  },
)

test('a tab closed in the middle of the drain leaves the rest to the next one', async () => {
  const first = await dayOffline(context, 2)
  await beginToDrain(context)
  await first.page.close()
  await expectRestFromNext(context, first)
})

test('a browser closed in the middle of the drain goes on when it is started again', async () => {
  const profile = await mkdtemp(join(tmpdir(), 'rx-outbox-profile-'))
  try {
    const before = await launchProfile(profile)
    const first = await dayOffline(before, 2)
    await beginToDrain(before)
    await before.close()
    const after = await launchProfile(profile)
    await serveFromDisk(after, server.url, bareApp)
    await expectRestFromNext(after, first)
    await after.close()
  } finally {
    await rm(profile, { recursive: true, force: true })
  }
})

/** Resolves in the middle: some writes are applied, with and without an answer, and most are not. */
async function beginToDrain(at: BrowserContext): Promise<void> {
  const before = (await server.applied()).length
  await server.setFaults({ loseAnswers: 0.5, latencyMs: 20, seed: 11 })
  await setOffline(at, false)
  await expect.poll(async () => (await server.applied()).length - before).toBeGreaterThan(8)
}

async function expectRestFromNext(at: BrowserContext, first: Tab): Promise<void> {
  const next = await openTab(at, `${server.url}/?concurrency=2`)
  await next.page.evaluate(() => window.bare.drained())
  expect(next.sent.length).toBeGreaterThan(8)
  await expectEndState()
  expectFrozen([...first.sent, ...next.sent])
}
