import { afterEach, beforeEach, expect, test } from 'vitest'
import { bareApp } from '../support/builtBareApp.ts'
import { type FreezableBrowser, freeze, launchFreezable, thaw } from '../support/launchFreezable.ts'
import { server } from '../support/realServer.ts'
import { serveFromDisk } from '../support/serveFromDisk.ts'
import { type Succession, watchSuccession } from '../support/succession.ts'
import { crash, openTab, statusOf, type Tab } from '../support/tab.ts'

let browser: FreezableBrowser
let succession: Succession
/** The highest revision of each note that is known, outside its tab, to be durable. */
let acknowledged: Map<string, number>
let opened = 0

beforeEach(async () => {
  await server.reset()
  browser = await launchFreezable()
  await serveFromDisk(browser.context, server.url, bareApp)
  succession = await watchSuccession(browser.context)
  acknowledged = new Map()
})
afterEach(() => browser.close())

/** Opens a tab that writes notes and edits of its own, until it ends. */
async function openWriter(): Promise<Tab> {
  const tab = await openTab(browser.context, `${server.url}/?leaderTimeout=3000`)
  tab.page.on('console', (message) => {
    const [, id, rev] = /^durable (\S+) (\d+)$/.exec(message.text()) ?? []
    if (id !== undefined) acknowledged.set(id, Number(rev))
  })
  await tab.page.evaluate((name) => {
    let n = 0
    const writing = setInterval(() => {
      const [id, rev] = [`${name}-${Math.floor(n / 3)}`, ++n]
      const receipt = window.bare.outbox[rev % 3 === 1 ? 'created' : 'updated']('note', { id, text: String(rev) })
      receipt.durable.then(
        () => console.debug(`durable ${id} ${rev}`),
        () => undefined,
      )
    }, 100)
    window.addEventListener('stop', () => clearInterval(writing))
  }, `t${++opened}`)
  return tab
}

/** As soon as one leads: one that has to begin a newer journal does not for a moment. */
async function leaderAmong(tabs: Tab[]): Promise<Tab> {
  let found: Tab | undefined
  async function look(): Promise<boolean> {
    for (const tab of tabs) if ((await statusOf(tab)).leader) found = tab
    return found !== undefined
  }
  await expect.poll(look).toBe(true)
  if (!found) throw new Error('Nobody leads.')
  return found
}

test('tabs that lead close, crash and freeze one after the other: everything is applied once, and never by two at a time', async () => {
  await server.setFaults({ latencyMs: 10, loseAnswers: 0.1, seed: 3 })
  const awake = [await openWriter(), await openWriter()]
  const ends = ['closes', 'freezes', 'crashes', 'freezes', 'crashes', 'freezes', 'closes']
  let frozen: Tab | undefined
  for (const end of ends) {
    const leader = await leaderAmong(awake)
    const sent = leader.sent.length
    await expect.poll(() => leader.sent.length).toBeGreaterThan(sent + 3)
    awake.splice(awake.indexOf(leader), 1)
    if (end === 'closes') await leader.page.close()
    else if (end === 'crashes') await crash(leader)
    else await freeze(leader.page)
    await leaderAmong(awake)

    // The one that was frozen before wakes while somebody else has long led.
    if (frozen) {
      await thaw(frozen.page)
      awake.push(frozen)
    }
    frozen = end === 'freezes' ? leader : undefined
    for (let i = 0; i < 2 && awake.length < 5; i++) awake.push(await openWriter())
  }
  if (frozen) awake.push(frozen)

  for (const { page } of awake) await thaw(page)
  for (const { page } of awake) await page.evaluate(() => window.dispatchEvent(new Event('stop')))
  await server.setFaults({})
  for (const { page } of awake) await page.evaluate(() => window.bare.drained())
  const rows = await server.rows('notes')
  expect(acknowledged.size).toBeGreaterThan(20)
  const lost = [...acknowledged].filter(([id, rev]) => !(Number(rows[id]?.['text']) >= rev))
  expect(lost).toEqual([])
  const applied = await server.applied()
  expect(new Set(applied.map(({ key }) => key)).size).toBe(applied.length)
  const terms = succession.terms()
  expect(terms.length).toBeGreaterThan(ends.length)
  expect([...new Set(terms)]).toEqual(terms)
  for (const tab of awake) expect(tab.complaints).toEqual([])
}, 240_000)
