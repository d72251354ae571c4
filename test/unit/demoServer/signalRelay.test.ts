import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { signalRelay } from '../../../demo/server/signalRelay.ts'
import { routeUpgrades } from '../../../demo/server/upgrades.ts'

let url: string
let close: () => void

beforeEach(async () => {
  const http = createServer()
  const relay = signalRelay()
  routeUpgrades(http, { '/signal': relay.upgrade })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`
  close = () => {
    relay.close()
    http.close()
  }
})
afterEach(() => close())

async function client(...said: unknown[]) {
  const socket = new WebSocket(`${url}/signal`)
  const heard: unknown[] = []
  socket.on('message', (data: Buffer) => heard.push(JSON.parse(String(data))))
  await once(socket, 'open')
  const say = (what: unknown) => socket.send(typeof what === 'string' ? what : JSON.stringify(what))
  said.forEach(say)
  // What came before a ping was worked off when its pong comes.
  const isHeard = async () => {
    const pong = once(socket, 'pong')
    socket.ping()
    await pong
  }
  await isHeard()
  return { socket, heard, say, isHeard }
}

test('what is published under a topic reaches all others that subscribed to it, and nobody else', async () => {
  const a = await client({ subscribe: 'x' })
  const b = await client({ subscribe: 'x' })
  const c = await client({ subscribe: 'y' })
  const d = await client({ subscribe: 'x' }, { unsubscribe: 'x' })
  a.say({ topic: 'x', text: 'hello' })
  for (const one of [a, b, c, d]) await one.isHeard()
  expect([a.heard, b.heard, c.heard, d.heard]).toEqual([[], [{ topic: 'x', text: 'hello' }], [], []])
})

test('what is no message of its kind is ignored, and more than its size ends the connection', async () => {
  const a = await client({ subscribe: 'x' })
  const b = await client('nonsense', 'null', { subscribe: 7 }, { topic: 'x' }, { topic: 'x', text: 7 })
  b.say({ topic: 'x', text: 'still here' })
  await b.isHeard()
  await a.isHeard()
  expect(a.heard).toEqual([{ topic: 'x', text: 'still here' }])
  b.say({ topic: 'x', text: 'x'.repeat(100_000) })
  expect((await once(b.socket, 'close'))[0]).toBe(1009)
})

test.each([
  ['another path', '/elsewhere', undefined, 404],
  ['a page of another origin', '/signal', 'http://evil.example', 403],
  ['a page without an origin of its own', '/signal', 'null', 403],
])('%s is refused', async (_, path, origin, status) => {
  const socket = new WebSocket(url + path, origin === undefined ? {} : { origin })
  const [error] = (await once(socket, 'error')) as [Error]
  expect(error.message).toContain(String(status))
})
