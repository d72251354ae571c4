import { appendFile, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { bareApp } from '../support/builtBareApp.ts'
import { launchProfile } from '../support/chromium.ts'
import { server } from '../support/realServer.ts'
import { serveFromDisk } from '../support/serveFromDisk.ts'
import { openTab } from '../support/tab.ts'

/** The head of a record without its end: what a kill leaves behind that comes in mid-write. */
const tear = Uint8Array.of(0x01, 0x02, 0x03, 0x04, 0x4b, 0x00, 0x01)
const ids = Array.from({ length: 20 }, (_, n) => `n${n + 1}`)

let profile: string

beforeEach(async () => {
  await server.reset()
  profile = await mkdtemp(join(tmpdir(), 'rx-outbox-tear-'))
  onTestFinished(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }))
})

/** Opens the profile, and closes the browser in order. */
async function visit<T>(query: string, does: (page: Page) => Promise<T>): Promise<T> {
  const context = await launchProfile(profile)
  try {
    await serveFromDisk(context, server.url, bareApp)
    const { page } = await openTab(context, `${server.url}/${query}`)
    const result = await does(page)
    await page.evaluate(() => window.bare.outbox.close())
    return result
  } finally {
    await context.close()
  }
}

interface Neighbour {
  records: number
  /** What Chromium says of a database that it had to give up. */
  dataLoss: unknown
}

/** Another database of the same origin: what it holds; then it holds one more. */
function neighbour(page: Page): Promise<Neighbour> {
  return page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((done, failed) => {
        request.onsuccess = () => done(request.result)
        request.onerror = () => failed(request.error)
      })
    const opening = indexedDB.open('neighbour', 1)
    let dataLoss: unknown
    opening.onupgradeneeded = (event) => {
      dataLoss = Reflect.get(event, 'dataLoss')
      opening.result.createObjectStore('records', { autoIncrement: true })
    }
    const database = await settled(opening)
    const records = await settled(database.transaction('records').objectStore('records').count())
    const transaction = database.transaction('records', 'readwrite', { durability: 'strict' })
    transaction.objectStore('records').add('one more')
    await new Promise((done) => (transaction.oncomplete = done))
    database.close()
    return { records, dataLoss }
  })
}

/** Damages IndexedDB where a kill in mid-write does. */
async function tearIndexedDB(): Promise<void> {
  const { host } = new URL(server.url)
  const folder = join(profile, 'Default/IndexedDB', `http_${host.replace(':', '_')}.indexeddb.leveldb`)
  const logs = (await readdir(folder)).filter((name) => name.endsWith('.log')).map((name) => join(folder, name))
  const ages = await Promise.all(logs.map(async (log) => ({ log, at: (await stat(log)).mtimeMs })))
  const newest = ages.sort((a, b) => b.at - a.at)[0]
  if (!newest) throw new Error(`No log in ${folder}`)
  await appendFile(newest.log, tear)
}

test('after a record torn by a kill Chromium deletes every database of the origin, and all that was queued is delivered', async () => {
  const before = await visit('?offline', async (page) => {
    await page.evaluate(async (all) => {
      await Promise.all(all.map((id) => window.bare.outbox.created('note', { id, text: 'queued' }).durable))
    }, ids)
    return neighbour(page)
  })
  expect(before).toEqual({ records: 0, dataLoss: 'none' })
  await tearIndexedDB()

  // As if nothing had happened; but from now on records stand behind the torn one.
  const first = await visit('?offline', async (page) => {
    await page.evaluate(() => window.bare.outbox.updated('note', { id: 'n1', text: 'edited' }).durable)
    return neighbour(page)
  })
  expect(first).toEqual({ records: 1, dataLoss: undefined })

  const second = await visit('', async (page) => {
    const wiped = await neighbour(page)
    await page.evaluate(() => window.bare.drained())
    return wiped
  })
  expect(second).toEqual({ records: 0, dataLoss: 'total' })
  const rows = Object.entries(await server.rows('notes')).map(([id, { text }]) => [id, text])
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(ids.map((id) => [id, id === 'n1' ? 'edited' : 'queued'])))
  const keys = (await server.applied()).map(({ key }) => key)
  expect(new Set(keys).size).toBe(keys.length)
})
