import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { demoServer } from '../../scripts/demo.mjs'
import { Device } from '../support/crdt/device.ts'

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

function started(command: string, args: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  ends.push(() => {
    child.kill('SIGKILL')
    return ended
  })
  return child
}

/** What `child` says, up to the first line that fits. */
async function saying(child: ChildProcess, line: RegExp): Promise<RegExpExecArray> {
  let said = ''
  for await (const data of child.stdout ?? []) {
    said += String(data)
    const found = line.exec(said)
    if (found) {
      child.stdout?.resume()
      return found
    }
  }
  throw new Error(`It ended without a word of ${line}: ${said}`)
}

/** A process of its own, with a database of its own. */
async function server(env: NodeJS.ProcessEnv = {}): Promise<string> {
  const child = started(process.execPath, [demoServer], { PORT: '0', DATA_DIR: 'memory://', DATABASE_URL: '', ...env })
  const [, url = ''] = await saying(child, /rx-outbox demo: (\S+)[\s\S]*ready/)
  return `${url.replace('http', 'ws')}/crdt`
}

function device(url: string): Device {
  const made = new Device({ url, token: () => 'demo', WebSocketPolyfill: WebSocket })
  ends.push(() => made.close())
  return made.listen()
}

/** What one device types, the other one reads, both ways and in the same text. */
async function expectToConverge(urls: [string, string]): Promise<void> {
  const [a, b] = [device(urls[0]), device(urls[1])]
  for (const one of [a, b]) await one.hears((change) => 'hint' in change)
  await a.save({ id: 'c1', body: 'one two' })
  await b.hears((change) => 'data' in change && change.data.body === 'one two')
  await Promise.all([a.save({ id: 'c1', body: 'zero one two' }), b.save({ id: 'c1', body: 'one two three' })])
  for (const one of [a, b]) {
    await one.hears((change) => 'data' in change && change.data.body === 'zero one two three')
    expect(one.rows.get('c1')).toEqual({ id: 'c1', body: 'zero one two three' })
  }
}

/** Two servers, joined. */
async function throughRedis(): Promise<[string, string]> {
  const port = await freePort()
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  await saying(started('redis-server', args), /Ready to accept connections/)
  const env = { REDIS_URL: `redis://127.0.0.1:${port}` }
  return Promise.all([server(env), server(env)])
}

const ways: [string, () => Promise<[string, string]>][] = [
  [
    'the demo as it is started',
    async () => {
      const url = await server()
      return [url, url]
    },
  ],
]
// Only where there is one: nothing is installed for it.
const hasRedis = spawnSync('redis-server', ['--version']).status === 0
if (hasRedis) ways.push(['two server processes that Redis joins', throughRedis])

test.each(ways)(
  'two devices share documents through %s',
  async (_, start) => {
    await expectToConverge(await start())
  },
  180_000,
)

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
