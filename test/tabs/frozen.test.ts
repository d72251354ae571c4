import { afterEach, beforeEach, expect, test } from 'vitest'
import { bareApp } from '../support/builtBareApp.ts'
import { type FreezableBrowser, freeze, launchFreezable, thaw } from '../support/launchFreezable.ts'
import { server } from '../support/realServer.ts'
import { serveFromDisk } from '../support/serveFromDisk.ts'
import { type Succession, watchSuccession } from '../support/succession.ts'
import { becomes, openTab, type Tab } from '../support/tab.ts'

let browser: FreezableBrowser
let succession: Succession

beforeEach(async () => {
  await server.reset()
  browser = await launchFreezable()
  await serveFromDisk(browser.context, server.url, bareApp)
  succession = await watchSuccession(browser.context)
})
afterEach(() => browser.close())

async function openWriter(as: 'leader' | 'follower'): Promise<Tab> {
  const tab = await openTab(browser.context, `${server.url}/?leaderTimeout=3000`)
  await becomes(tab, as)
  return tab
}

async function writtenBy({ page }: Tab, ids: string[]): Promise<void> {
  await page.evaluate(async (all) => {
    await Promise.all(all.map((id) => window.bare.outbox.created('note', { id, text: 'new' }).durable))
  }, ids)
}

const idsOf = (name: string, count = 10) => Array.from({ length: count }, (_, n) => `${name}${n}`)

async function expectOnce(ids: string[]): Promise<void> {
  expect(Object.keys(await server.rows('notes')).sort()).toEqual(ids.toSorted())
  const applied = await server.applied()
  expect(applied.map(({ entityId }) => entityId).sort()).toEqual(ids.toSorted())
  const terms = succession.terms()
  expect(new Set(terms).size, terms.join('; ')).toBe(terms.length)
}

test('a leader that is frozen in the middle of its work is replaced, and nothing is applied twice', async () => {
  await server.setFaults({ latencyMs: 300 })
  const first = await openWriter('leader')
  const second = await openWriter('follower')
  await writtenBy(first, idsOf('first'))
  await writtenBy(second, idsOf('second'))
  await expect.poll(() => first.sent.length).toBeGreaterThan(2)

  await freeze(first.page)
  const sent = first.sent.length
  await becomes(second, 'leader')
  await second.page.evaluate(() => window.bare.drained())
  expect(first.sent.length).toBeLessThanOrEqual(sent + 1)
  await expectOnce([...idsOf('first'), ...idsOf('second')])
  await thaw(first.page)
})

test('what a frozen leader takes in as it wakes is sent by its successor, and it follows', async () => {
  const first = await openWriter('leader')
  const second = await openWriter('follower')
  await writtenBy(first, idsOf('before'))
  await first.page.evaluate((ids) => {
    document.addEventListener('resume', () => {
      for (const id of ids) window.bare.outbox.created('note', { id, text: 'as it wakes' })
    })
  }, idsOf('waking'))
  await freeze(first.page)
  await becomes(second, 'leader')
  await writtenBy(second, idsOf('meanwhile'))
  await second.page.evaluate(() => window.bare.drained())
  const sent = first.sent.length

  await thaw(first.page)
  await becomes(first, 'follower')
  await expect.poll(async () => Object.keys(await server.rows('notes')).length).toBe(30).catch(async (e) => {
    console.log(Object.keys(await server.rows('notes')).sort().join(' '))
    for (const t of [first, second]) console.log(JSON.stringify(await t.page.evaluate(async () => {
      let s: unknown; window.bare.outbox.status$.subscribe((x) => (s = x)).unsubscribe()
      let q: unknown; const sub = window.bare.outbox.queue$.subscribe((x) => (q = x)); await new Promise(d => setTimeout(d, 200)); sub.unsubscribe()
      return [s, q, window.bare.errors, await window.bare.journals(), window.bare.results.filter(r => r.status !== 'persisted')]
    })))
    throw e
  })
  await second.page.evaluate(() => window.bare.drained())
  await first.page.evaluate(() => window.bare.drained())
  expect(first.sent.length).toBe(sent)
  await expectOnce([...idsOf('before'), ...idsOf('meanwhile'), ...idsOf('waking')])
  const seen = await first.page.evaluate(() => window.bare.outbox.metadata('note', 'waking0'))
  expect(seen).toMatchObject({ syncStatus: 'synced' })

  await second.page.close()
  await becomes(first, 'leader')
  await writtenBy(first, idsOf('after'))
  await first.page.evaluate(() => window.bare.drained())
  await expectOnce(['before', 'meanwhile', 'waking', 'after'].flatMap((name) => idsOf(name)))
  expect(
    (await first.page.evaluate(() => window.bare.journals())).filter((name) => name.startsWith('leader')),
  ).toHaveLength(1)
})

test('a follower that was frozen goes on where it was, and misses nothing', async () => {
  const first = await openWriter('leader')
  const second = await openWriter('follower')
  const settled = second.page.evaluate(() => {
    const { created } = window.bare.outbox
    const receipt = created('note', { id: 'own', text: 'new' })
    return receipt.durable.then(() => receipt.settled).then(({ status }) => status)
  })
  await expect.poll(async () => Object.keys(await server.rows('notes'))).toEqual(['own'])
  await freeze(second.page)
  await writtenBy(first, idsOf('meanwhile'))
  await first.page.evaluate(() => window.bare.drained())
  // Longer than it would wait for a leader.
  await first.page.evaluate(() => new Promise((done) => setTimeout(done, 4_000)))

  await thaw(second.page)
  expect(await settled).toBe('persisted')
  await expect.poll(() => second.page.evaluate(async () => (await window.bare.outbox.metadata('note')).size)).toBe(11)
  expect(second.sent).toEqual([])
  await expectOnce(['own', ...idsOf('meanwhile')])
})
