import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bareApp } from '../support/builtBareApp.ts'
import { launchChromium } from '../support/chromium.ts'
import { serveFromDisk } from '../support/serveFromDisk.ts'
import { openTab } from '../support/tab.ts'

/** Nothing listens there: the app comes from the disk. */
const url = 'http://127.0.0.1:1'
let browser: Browser

beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

test.each(['opfs', 'opfs&strict', 'indexedDB', 'localStorage'])(
  'values of every kind survive a restart in %s',
  async (driver) => {
    await using context = await browser.newContext()
    await serveFromDisk(context, url, bareApp)
    const { page, complaints } = await openTab(context, `${url}/?offline&driver=${driver}`)
    await writeValues(page)
    expect(await placesWithJournals(page)).toEqual(driver.split('&').slice(0, 1))

    await page.goto(`${url}/?driver=${driver}`)
    expect(await readValues(page)).toEqual({
      date: 'Date(2026-11-23T20:00:00.123Z)',
      invalidDate: 'Date(NaN)',
      map: 'Map(["since", Date(1970-01-01T00:00:00.000Z)], [{key: 1}, Set(1n)])',
      set: 'Set("a", 2, null)',
      bigint: '-1208925819614629174706176n',
      bytes: 'Uint8Array(0, 127, 255)',
      part: 'Uint8Array(2, 3)',
      clamped: 'Uint8ClampedArray(255)',
      words: 'Int16Array(-1, 32767)',
      floats: 'Float64Array(3.141592653589793, -0, NaN)',
      bigs: 'BigInt64Array(-1n, 4611686018427387904n)',
      buffer: 'ArrayBuffer(9, 8)',
      view: 'DataView(5, 6)',
      numbers: '[NaN, Infinity, -Infinity, -0]',
      nothing: '[undefined, null]',
      text: '"a line\u2028b \\u0000 🗒️"',
      looksLikeATag: '{$: ["Date", 0]}',
      deep: '{in: {a: {list: [Map([1n, Date(1970-01-01T00:00:00.001Z)])]}}}',
    })
    expect(complaints).toEqual([])
  },
)

/** Resolves when they are durable. */
async function writeValues(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const { outbox, values } = window.bare
    const receipts = Object.entries(values).map(([id, value]) => outbox.created('thing', { id, value }))
    await Promise.all(receipts.map(({ durable }) => durable))
  })
}

/** What reached the strategy, as text. */
async function readValues(page: Page): Promise<Record<string, string>> {
  return page.evaluate(async () => {
    const { drained, things, described } = window.bare
    await drained()
    return Object.fromEntries(things.map(({ id, value }) => [id, described(value)]))
  })
}

async function placesWithJournals(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const root = await navigator.storage.getDirectory()
    const directories: string[] = []
    for await (const name of root.keys()) directories.push(name)
    const databases = await indexedDB.databases()
    // Beside files there is a mirror, which is no journal.
    const inIndexedDB = databases.some(({ name }) => name === 'rx-outbox') && !directories.includes('rx-outbox')
    const inLocalStorage = Object.keys(localStorage).some((key) => key.startsWith('rx-outbox/'))
    const inFiles = directories.includes('rx-outbox')
    return [
      ...(inFiles ? ['opfs'] : []),
      ...(inIndexedDB ? ['indexedDB'] : []),
      ...(inLocalStorage ? ['localStorage'] : []),
    ]
  })
}
