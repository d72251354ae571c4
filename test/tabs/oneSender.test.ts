import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { historyOf } from '../browser/writeStory.ts'
import { bareApp } from '../support/builtBareApp.ts'
import { launchChromium } from '../support/chromium.ts'
import { server } from '../support/realServer.ts'
import { serveFromDisk } from '../support/serveFromDisk.ts'
import { becomes, crash, openTab, type Tab } from '../support/tab.ts'

let browser: Browser
let context: BrowserContext

beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

beforeEach(async () => {
  await server.reset()
  context = await browser.newContext()
  await serveFromDisk(context, server.url, bareApp)
})
afterEach(() => context.close())

/** Opens a tab; resolves when it knows whether it leads. */
async function openWriter(as: 'leader' | 'follower'): Promise<Tab> {
  const tab = await openTab(context, server.url)
  await becomes(tab, as)
  return tab
}

/** Notes made, edited and deleted in a leading tab whose server takes nothing, then in one that follows. */
async function writeInBoth(leader: Tab, follower: Tab): Promise<void> {
  await server.setFaults({ errorRate: 1 })
  await leader.page.evaluate(async () => {
    const { created } = window.bare.outbox
    for (const id of ['n1', 'n2', 'n3']) await created('note', { id, text: 'first tab' }).durable
  })
  // What was sent once is not changed any more: the edits are writes of their own.
  await expect.poll(() => new Set(leader.sent.map(({ key }) => key)).size).toBe(3)
  await leader.page.evaluate(
    () => window.bare.outbox.updated('note', { id: 'n3', text: 'edited in the first tab' }).durable,
  )
  await follower.page.evaluate(async () => {
    const { created, updated, deleted } = window.bare.outbox
    await updated('note', { id: 'n1', text: 'second tab' }).durable
    await deleted('note', 'n2').durable
    const both = [
      created('note', { id: 'n4', text: 'second tab' }),
      updated('note', { id: 'n4', text: 'edited in the second tab' }),
    ]
    await Promise.all(both.map(({ durable }) => durable))
  })
}

async function expectBothOnce(): Promise<void> {
  const rows = Object.values(await server.rows('notes')).map(({ id, text }) => [id, text])
  expect(Object.fromEntries(rows)).toEqual({
    n1: 'second tab',
    n3: 'edited in the first tab',
    n4: 'edited in the second tab',
  })
  const applied = await server.applied()
  const { n4, ...others } = historyOf(applied)
  expect(others).toEqual({
    n1: ['create 1', 'update 2'],
    n2: ['create 1', 'delete 2'],
    n3: ['create 1', 'update 2'],
  })
  // One, unless the leader was about to send the first when it heard of the second.
  expect([['create 1'], ['create 1', 'update 2']]).toContainEqual(n4)
  expect(new Set(applied.map(({ key }) => key)).size).toBe(applied.length)
}

const closings = {
  'is closed': (tab: Tab) => tab.page.close(),
  crashes: crash,
}

test.each(Object.entries(closings))('when the first tab %s, the second leads and sends all of both', async (_, end) => {
  const first = await openWriter('leader')
  const second = await openWriter('follower')
  await writeInBoth(first, second)
  const journals = await second.page.evaluate(() => window.bare.journals())
  expect(journals).toEqual(expect.arrayContaining(['leader', expect.not.stringMatching('leader')]))
  expect(second.sent).toEqual([])

  await end(first)
  await server.setFaults({})
  await becomes(second, 'leader')
  await second.page.evaluate(() => window.bare.drained())

  await expectBothOnce()
  expect(await second.page.evaluate(() => window.bare.journals())).toEqual(['leader'])
})

test.each(Object.entries(closings))('when the second tab %s, the first sends what it left', async (_, end) => {
  const first = await openWriter('leader')
  const second = await openWriter('follower')
  await writeInBoth(first, second)

  await end(second)
  await server.setFaults({})
  await expect.poll(async () => (await server.rows('notes'))['n4']).toBeDefined()
  await first.page.evaluate(() => window.bare.drained())

  await expectBothOnce()
  expect(second.sent).toEqual([])
  await expect.poll(() => first.page.evaluate(() => window.bare.journals())).toEqual(['leader'])
})

test('what two tabs wrote offline is sent by a third one, days later', async () => {
  const first = await openWriter('leader')
  const second = await openWriter('follower')
  await writeInBoth(first, second)
  await Promise.all([first.page.close(), second.page.close()])
  await server.setFaults({})

  const third = await openWriter('leader')
  await third.page.evaluate(() => window.bare.drained())
  await expectBothOnce()
})

test('a receipt of a tab that follows settles when its task has gone', async () => {
  const first = await openWriter('leader')
  const second = await openWriter('follower')
  const settled = second.page.evaluate(async () => {
    const { status } = await window.bare.outbox.created('note', { id: 'n1', text: 'second tab' }).settled
    return status
  })
  await expect.poll(() => second.page.evaluate(() => window.bare.journals())).toHaveLength(2)
  await first.page.close()
  expect(await settled).toBe('persisted')
})

test('three tabs writing at once and closing one after the other send everything once', async () => {
  await server.setFaults({ loseAnswers: 0.3, seed: 5 })
  const tabs = [await openWriter('leader'), await openWriter('follower'), await openWriter('follower')]
  await Promise.all(
    tabs.map(({ page }, n) =>
      page.evaluate(async (tab) => {
        const { created, updated } = window.bare.outbox
        const notes = Array.from({ length: 15 }, (__, i) => ({ id: `t${tab}-${i}`, text: 'new' }))
        await Promise.all(notes.map((note) => created('note', note).durable))
        await Promise.all(notes.map(({ id }) => updated('note', { id, text: 'edited' }).durable))
      }, n),
    ),
  )
  await tabs[0]?.page.close()
  await expect.poll(async () => Object.keys(await server.rows('notes')).length).toBeGreaterThan(20)
  await tabs[1]?.page.close()

  const ids = tabs.flatMap((_, tab) => Array.from({ length: 15 }, (__, i) => `t${tab}-${i}`))
  const last = tabs[2]
  await expect.poll(async () => Object.keys(await server.rows('notes')).toSorted()).toEqual(ids.toSorted())
  await last?.page.evaluate(() => window.bare.drained())
  const rows = await server.rows('notes')
  expect(ids.map((id) => rows[id]?.['text'])).toEqual(ids.map(() => 'edited'))
  for (const history of Object.values(historyOf(await server.applied()))) {
    expect([['create 1'], ['create 1', 'update 2']]).toContainEqual(history)
  }
})
