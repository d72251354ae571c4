import type { IncomingMessage } from 'node:http'
import { gzipSync } from 'node:zlib'
import { NetworkError, ServerError } from 'rx-outbox'
import { afterEach, expect, it } from 'vitest'
import { restStrategy } from '../../../strategies/rest.ts'
import { type Handler, serve } from '../../support/restServer.ts'
import { attemptWith, entity, note, type Note, outcome, thrown } from './support.ts'

let stop = () => Promise.resolve()
afterEach(() => stop())

async function served(handler: Handler, options: { token?: () => string } = {}) {
  const server = await serve(handler)
  stop = server.close
  return restStrategy<Note>({ url: `${server.url}/notes`, ...options })
}

const json = { 'content-type': 'application/json' }
const update = (strategy: ReturnType<typeof restStrategy<Note>>, signal = new AbortController().signal) =>
  strategy.persistUpdate(entity(note), attemptWith({ signal, version: '3' }))

const closed = (request: IncomingMessage) =>
  new Promise<void>((resolve) => {
    request.socket.on('close', () => resolve())
  })

it('a write arrives with its key, its condition and its body', async () => {
  let seen: IncomingMessage | undefined
  let sent = ''
  const strategy = await served((request, response, body) => {
    seen = request
    sent = body
    response.writeHead(200, { ...json, etag: 'W/"4"' }).end('{"_id":"b1"}')
  })
  expect(await outcome(update(strategy))).toEqual({ backendId: 'b1', version: 'W/"4"', syncedAt: expect.any(Number) })
  expect(seen).toMatchObject({ method: 'PUT', url: '/notes/n1' })
  expect(seen?.headers).toMatchObject({
    'idempotency-key': '"k1"',
    'if-match': '"3"',
    'content-type': json['content-type'],
  })
  expect(sent).toBe(JSON.stringify(note))
})

it.each([301, 302, 303, 307, 308])('a redirect, %i, is not followed and shows no token elsewhere', async (status) => {
  const asked: string[] = []
  const strategy = await served(
    (request, response) => {
      asked.push(request.url ?? '')
      response.writeHead(status, { location: '/elsewhere' }).end()
    },
    { token: () => 'secret' },
  )
  expect(await thrown(update(strategy))).toBeInstanceOf(NetworkError)
  expect(asked).toEqual(['/notes/n1'])
})

it('a connection cut before the answer is the network', async () => {
  const strategy = await served((request) => request.socket.destroy())
  const error = await thrown(update(strategy))
  expect(error).toBeInstanceOf(NetworkError)
  expect(error).toHaveProperty('message', 'PUT /notes/n1 got no answer')
})

it('a connection cut in the middle of the answer is the network', async () => {
  const strategy = await served((request, response) => {
    response.writeHead(200, { ...json, 'content-length': '100' })
    response.write('{"_id":"b1"', () => request.socket.destroy())
  })
  const error = await thrown(update(strategy))
  expect(error).toBeInstanceOf(NetworkError)
  expect(error).toHaveProperty('message', 'The answer to PUT /notes/n1 broke off')
})

it('nobody at the address is the network', async () => {
  const strategy = await served(() => {})
  await stop()
  expect(await thrown(update(strategy))).toBeInstanceOf(NetworkError)
})

it('a server that never answers is left when the signal is aborted', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  const strategy = await served(() => controller.abort(reason))
  expect(await thrown(update(strategy, controller.signal))).toBe(reason)
})

it('an answer that trickles is left when the signal is aborted, and its connection closed', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  let gone = Promise.resolve()
  const strategy = await served((request, response) => {
    gone = closed(request)
    response.writeHead(200, json)
    response.write('{', () => controller.abort(reason))
  })
  expect(await thrown(update(strategy, controller.signal))).toBe(reason)
  await gone
})

it('an endless answer is cut at its limit, and its connection closed', async () => {
  let gone = Promise.resolve()
  const strategy = await served((request, response) => {
    gone = closed(request)
    response.writeHead(200, json)
    const more = () => {
      while (!response.destroyed && response.write(' '.repeat(65_536)));
      response.once('drain', more)
    }
    more()
  })
  expect(await thrown(update(strategy))).toBeInstanceOf(ServerError)
  await gone
})

it('a small answer that unpacks to a huge one is cut at the same limit', async () => {
  const strategy = await served((_request, response) => {
    response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000, 0x20)))
  })
  expect(await thrown(update(strategy))).toBeInstanceOf(ServerError)
})

it.each([
  [503, { category: 'server', status: 503, retryAfter: 2_000 }],
  [302, { category: 'network' }],
])('a refusal, %i, does not wait for its body, and its connection is closed', async (status, error) => {
  let gone = Promise.resolve()
  const strategy = await served((request, response) => {
    gone = closed(request)
    response.writeHead(status, { ...json, 'retry-after': '2', location: '/elsewhere' })
    response.write('{')
  })
  expect(await thrown(update(strategy))).toMatchObject(error)
  await gone
})
