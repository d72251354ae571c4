import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { History } from './verdict.ts'

/** What the page says. */
export type Told =
  | { is: 'acknowledged'; revisions: [id: string, rev: number][] }
  | { is: 'drained'; where: string }
  | { is: 'opening' | 'compacting' | 'closed' }
  | { is: 'trouble'; what: string }

export interface KillServer {
  url: string
  history: History
  /** What was told on the outbox's `errors$`, and errors that nobody caught. */
  trouble: string[]
  /** Resolves with what the page says next for which `test` holds. */
  next: (test: (told: Told) => boolean) => Promise<Told>
  close: () => Promise<void>
}

const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' }

/**
 * A remote that applies each idempotency key once, writes down in which order, and answers a moment later; what the page
 * acknowledged stands in the same history, outside the browser.
 */
export async function startKillServer(app: string, random: () => number): Promise<KillServer> {
  const history: History = { requests: 0, acknowledgements: 0, applied: [], acknowledged: new Map() }
  const bodies = new Map<string, string>()
  const trouble: string[] = []
  const listeners = new Set<(told: Told) => void>()

  function apply(key: string, text: string): void {
    history.requests++
    const known = bodies.get(key)
    if (known !== undefined && known !== text) trouble.push(`${key} stood for ${known}, then for ${text}`)
    if (known !== undefined) return
    bodies.set(key, text)
    const { id, rev } = JSON.parse(text) as { id: string; rev: number }
    history.applied.push({ key, id, rev })
  }

  function hear(told: Told): void {
    if (told.is === 'trouble') trouble.push(told.what)
    if (told.is === 'acknowledged') {
      history.acknowledgements += told.revisions.length
      for (const [id, rev] of told.revisions) {
        history.acknowledged.set(id, Math.max(rev, history.acknowledged.get(id) ?? 0))
      }
    }
    for (const listener of listeners) listener(told)
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
    if (request.method === 'GET' && pathname === '/api/things') {
      response.setHeader('content-type', 'application/json')
      response.end(nothingNew)
      return
    }
    if (request.method === 'GET') {
      const file = pathname === '/' ? 'index.html' : pathname
      response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream')
      response.end(await readFile(join(app, file)))
      return
    }
    const text = await bodyOf(request)
    if (pathname === '/told') {
      hear(JSON.parse(text) as Told)
      response.writeHead(204).end()
      return
    }
    apply(String(request.headers['idempotency-key']), text)
    await wait(random() * 10)
    response.setHeader('content-type', 'application/json')
    response.end(text)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      // Whoever asked is dead: what it began to say counts for nothing.
      if (!request.destroyed) trouble.push(String(error))
      response.destroy()
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}/`,
    history,
    trouble,
    next: (test) =>
      new Promise((resolve) => {
        listeners.add(function listener(told) {
          if (!test(told)) return
          listeners.delete(listener)
          resolve(told)
        })
      }),
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

/** Nobody else writes. */
const nothingNew = JSON.stringify({ changed: [], deleted: [], checkpoint: '', more: false })

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}
