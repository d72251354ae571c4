import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type DemoServer, startDemoServer } from '../../../demo/server/startDemoServer.ts'
import { Device } from '../../support/crdt/device.ts'

let server: DemoServer
const devices: Device[] = []
let collections = 0
let collection = ''

beforeAll(async () => {
  server = await startDemoServer({ port: 0, dataDir: 'memory://' })
}, 60_000)
afterAll(() => server.close())

afterEach(() => {
  for (const device of devices.splice(0)) device.close()
  collections += 1
})

function device(options: ConstructorParameters<typeof Device>[0] = {}): Device {
  collection = `cards ${collections}`
  const url = `${server.url.replace('http', 'ws')}/crdt`
  const made = new Device({ url, collection, token: () => 'demo', WebSocketPolyfill: WebSocket, ...options })
  devices.push(made)
  return made
}

test('a card that one device creates, another one is told of', async () => {
  const [a, b] = [device(), device().listen()]
  await b.hears((change) => 'hint' in change)
  await a.save({ id: 'c1', title: 'Milk', body: 'two litres' })
  await b.hears((change) => 'data' in change)
  expect(b.rows.get('c1')).toEqual({ id: 'c1', title: 'Milk', body: 'two litres' })
})
