import type { IncomingMessage, ServerResponse } from 'node:http'
import { createPersistence, memoryStore, type PullPage, type RemoteChange } from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'
import { from, lastValueFrom } from 'rxjs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { serve } from '../../support/restServer.ts'

interface Note {
  id: string
  title: string
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

async function served(answer: Answer) {
  const asked: string[] = []
  const server = await serve((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    answer(request, response)
  })
  onTestFinished(server.close)
  return { url: `${server.url}/notes`, asked }
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json', date: 'Mon, 06 Jan 2025 00:00:00 GMT' })
  response.end(JSON.stringify(body))
}

const emptyPage = { changed: [], deleted: [], checkpoint: 'c1', more: false }

function pulled(strategy: ReturnType<typeof restStrategy<Note>>, checkpoint?: unknown): Promise<PullPage<Note>> {
  const request = { checkpoint, limit: 50, owner: 'ada', signal: new AbortController().signal }
  return lastValueFrom(from(strategy.pull?.(request) ?? []))
}

describe('a pull', () => {
  test('asks for what changed since a checkpoint, and first of all for everything', async () => {
    const { url, asked } = await served((_, response) => json(response, emptyPage))
    const strategy = restStrategy<Note>({ url: `${url}?site=7` })
    await pulled(strategy)
    await pulled(strategy, 'a b&c')
    await pulled(strategy, 17)
    expect(asked).toEqual([
      'GET /notes?site=7&limit=50',
      'GET /notes?site=7&since=a+b%26c&limit=50',
      'GET /notes?site=7&since=17&limit=50',
    ])
  })

  test('gives the page, with the time of the server', async () => {
    const page = {
      changed: [{ id: 'n1', version: 2, backendId: 'b1', data: { id: 'n1', title: 'Milk' } }],
      deleted: ['n2'],
      checkpoint: '17',
      more: true,
    }
    const { url } = await served((_, response) => json(response, page))
    expect(await pulled(restStrategy<Note>({ url }))).toEqual({ ...page, syncedAt: Date.UTC(2025, 0, 6) })
  })

  test('reads rows of another shape by fromRow, and what its schema refuses as an error in its place', async () => {
    const rows = [
      { _id: 'n1', rev: 'r1', title: 'Milk' },
      { _id: 'n2', rev: 'r2', title: 7 },
    ]
    const { url } = await served((_, response) => json(response, { ...emptyPage, changed: rows }))
    const Row = z.object({ _id: z.string(), rev: z.string(), title: z.unknown() })
    const strategy = restStrategy<Note>({
      url,
      schema: z.object({ id: z.string(), title: z.string() }),
      fromRow(row) {
        const { _id: id, rev: version, title } = Row.parse(row)
        return { id, version, data: { id, title } }
      },
    })
    const { changed } = await pulled(strategy)
    expect(changed).toEqual([{ id: 'n1', version: 'r1', data: { id: 'n1', title: 'Milk' } }, expect.any(Error)])
    expect(changed[1]).toMatchObject({ message: expect.stringContaining('does not fit the schema at title') as string })
  })

  test.each([
    [401, 'auth'],
    [429, 'rate-limit'],
    [503, 'server'],
    [404, 'client'],
  ])('that is answered with %i fails as %s', async (status, category) => {
    const { url } = await served((_, response) => void response.writeHead(status).end())
    await expect(pulled(restStrategy<Note>({ url }))).rejects.toMatchObject({ category, status })
  })

  test('is not there where the option says so', async () => {
    expect(restStrategy<Note>({ url: '/notes', pull: false, baseUrl: 'http://x.test' }).pull).toBeUndefined()
    expect(() => restStrategy<Note>({ url: '/notes', pull: false, live: true })).toThrow('`live`')
  })
})

describe('live events', () => {
  /** Everything that is heard until `count` have come. */
  async function heard(strategy: ReturnType<typeof restStrategy<Note>>, count: number): Promise<RemoteChange<Note>[]> {
    const changes: RemoteChange<Note>[] = []
    await new Promise<void>((done, fail) => {
      const listening = strategy.changes$?.subscribe({
        next(change) {
          changes.push(change)
          if (changes.length === count) done()
        },
        error: fail,
      })
      onTestFinished(() => listening?.unsubscribe())
      pulled(strategy).catch(fail)
    })
    return changes
  }

  test('are listened to from the end of a pull on, with its checkpoint and the token of its owner', async () => {
    let headers: IncomingMessage['headers'] = {}
    const { url, asked } = await served((request, response) => {
      if (!request.url?.includes('/changes')) return json(response, emptyPage)
      headers = request.headers
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
      response.write('﻿: here\r\n\r\nid: 5\r\ndata: {"id":"n1","version":3,\r\ndata: "data":{"id":"n1","title":"Ä"}}\r')
      response.write('\n\r\ndata: {"hint":true}\n\nevent: x\rdata: {"id":"n2","deleted":true}\r\r')
      response.write('data: {"hint":true}\n\n')
    })
    const strategy = restStrategy<Note>({ url, live: true, token: (owner) => `token of ${owner}` })
    expect(await heard(strategy, 4)).toEqual([
      { id: 'n1', version: 3, data: { id: 'n1', title: 'Ä' } },
      { hint: true },
      { id: 'n2', deleted: true },
      { hint: true },
    ])
    expect(asked).toEqual(['GET /notes?limit=50', 'GET /notes/changes'])
    expect(headers).toMatchObject({
      'last-event-id': 'c1',
      accept: 'text/event-stream',
      authorization: 'Bearer token of ada',
    })
  })

  test.each<[string, Answer, object]>([
    ['401', (_, response) => void response.writeHead(401).end(), { category: 'auth' }],
    [
      'HTML',
      (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('hi'),
      { category: 'network' },
    ],
    [
      'an event that never ends',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(`data: ${'x'.repeat(3_000)}`)
      },
      { category: 'server' },
    ],
    [
      'an end',
      (_, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': bye\n\n'),
      { category: 'network' },
    ],
    [
      'silence',
      (_, response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
      { category: 'network' },
    ],
  ])('that are answered with %s fail', async (_, answer, error) => {
    const { url } = await served((request, response) =>
      request.url?.includes('/live') ? answer(request, response) : json(response, emptyPage),
    )
    const strategy = restStrategy<Note>({ url, live: '/live', maxBytes: 2_000, liveSilence: 300 })
    await expect(heard(strategy, 1)).rejects.toMatchObject(error)
  })
})

test('a page of garbage is refused, and nothing of it counts', async () => {
  const { url } = await served((_, response) => json(response, [{ id: 'n1' }]))
  const persistence = createPersistence<{ note: Note }>({
    strategies: { note: restStrategy<Note>({ url }) },
    options: { storage: memoryStore(), snapshot: null, pull: false },
  })
  onTestFinished(() => persistence.close())
  await expect(persistence.pull('note')).rejects.toThrow('The page of note: changed has to be a list.')
})
