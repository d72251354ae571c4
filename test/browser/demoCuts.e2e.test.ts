import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDemoServer } from '../../demo/server/startDemoServer.ts'
import { launchChromium } from '../support/chromium.ts'
import { openDemo } from '../support/demoApp.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())

test('a restart of the server and a cut of the network lose nothing, and everybody hears of everything', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rx-outbox-cuts-'))
  const first = await startDemoServer({ port: 0, dataDir })
  const port = Number(new URL(first.url).port)
  await using one = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  await using other = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  const a = await openDemo(one, first.url)
  const b = await openDemo(other, first.url)
  await a.write('Before')
  await b.noteIs('Before', 'synced')

  await first.close()
  await a.write('While the server is down')
  await b.change('Before', { body: 'by b, to nobody' })
  await one.setOffline(true)
  await a.write('While the network is cut, too')
  const second = await startDemoServer({ port, dataDir })
  try {
    await b.by('flush').dispatchEvent('click')
    await b.noteIs('Before', 'synced')
    await one.setOffline(false)
    await a.by('flush').dispatchEvent('click')
    await a.saved()
    const titles = ['Before', 'While the network is cut, too', 'While the server is down']
    for (const { titles: shown } of [a, b]) await expect.poll(async () => (await shown()).toSorted()).toEqual(titles)
    await a.edit('Before')
    await expect.poll(() => a.by('note-body').inputValue()).toBe('by b, to nobody')
    const rows = await second.database.query('select version from entity where not deleted order by version')
    expect(rows).toEqual([{ version: 1 }, { version: 1 }, { version: 2 }])
  } finally {
    await second.close()
    await rm(dataDir, { recursive: true })
  }
  expect([...a.complaints, ...b.complaints].filter((text) => !/WebSocket|ERR_/.test(text))).toEqual([])
})
