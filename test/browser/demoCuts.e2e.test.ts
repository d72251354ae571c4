import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startDemoServer } from '../../demo/server/startDemoServer.ts'
import { demoDevices } from '../support/demoDevices.ts'

const openDevice = demoDevices()

test('a restart of the server and a cut of the network lose nothing, and everybody hears of everything', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rx-outbox-cuts-'))
  const first = await startDemoServer({ port: 0, dataDir })
  const port = Number(new URL(first.url).port)
  const a = await openDevice(first.url)
  const b = await openDevice(first.url)
  await a.write('Before')
  await b.noteIs('Before', 'synced')

  await first.close()
  await a.write('While the server is down')
  await b.change('Before', { body: 'by b, to nobody' })
  await a.page.context().setOffline(true)
  await a.write('While the network is cut, too')
  const second = await startDemoServer({ port, dataDir })
  try {
    await b.by('flush').dispatchEvent('click')
    await b.noteIs('Before', 'synced')
    await a.page.context().setOffline(false)
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
