import { expect, test } from 'vitest'
import { startDemoServer } from '../../demo/server/startDemoServer.ts'
import { type DemoApp, openDemo } from '../support/demoApp.ts'
import { demoDevices } from '../support/demoDevices.ts'
import { server } from '../support/realServer.ts'

/** As a browser is that is allowed to use microphone and camera: it shows all addresses of the device. */
const permissions = ['microphone', 'camera']
const openDevice = demoDevices()

const sees = ({ page }: DemoApp, devices: number) =>
  page.locator(`[data-testid="peers"][data-devices="${devices}"]`).waitFor()

test('two browsers meet at the relay, and go on writing to each other when the server is gone', async () => {
  let starting: ReturnType<typeof startDemoServer> | undefined
  // Its database, which takes seconds to start, is not needed here.
  const url = await new Promise<string>((onListening) => {
    starting = startDemoServer({ port: 0, dataDir: 'memory://', onListening })
  })
  const a = await openDevice(`${url}/?p2p`, { permissions })
  await a.write('Before anybody came')
  await a.noteIs('Before anybody came', 'pending')
  const b = await openDevice(`${url}/?p2p`, { permissions })
  await b.note('Before anybody came').waitFor()
  await a.noteIs('Before anybody came', 'synced')

  await (await starting)?.close()
  await b.write('Without a server', 'from b')
  await a.note('Without a server').waitFor()
  await b.noteIs('Without a server', 'synced')
  await a.change('Without a server', { title: 'Still without a server' })
  await b.note('Still without a server').waitFor()
  await a.noteIs('Still without a server', 'synced')
  expect([...a.complaints, ...b.complaints].filter((text) => !/WebSocket|ERR_CONNECTION/.test(text))).toEqual([])
})

test('two devices in one browser find each other, and say who is here', async () => {
  const a = await openDevice(`${server.url}/?p2p`, { permissions })
  await sees(a, 0)
  const b = await openDemo(a.page.context(), `${server.url}/?p2p&device=b`)
  await sees(a, 1)
  await b.write('From b')
  await a.note('From b').waitFor()
  await b.noteIs('From b', 'synced')

  await a.turn('offline', 'on')
  await a.write('While away')
  await a.noteIs('While away', 'pending')
  await a.turn('offline', 'off')
  await b.note('While away').waitFor()
  await a.noteIs('While away', 'synced')
  expect([...a.complaints, ...b.complaints]).toEqual([])
})
