import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Operation } from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'
import type { RemoteFailure, StrategyRemote } from 'rx-outbox/testing'
import { firstValueFrom, Subject } from 'rxjs'
import type { Row } from './memoryRemote.ts'
import { serve } from './restServer.ts'

const operations: Record<string, Operation> = { POST: 'create', PUT: 'update', DELETE: 'delete' }
const refusals: Partial<Record<RemoteFailure, number>> = {
  failing: 500,
  refusing: 422,
  unauthorized: 401,
  'rate-limited': 429,
}

type Answer = [status: number, version: number, body: string]

/** A collection behind HTTP, in memory; `forgetful` knows no keys, only versions. */
export async function serveRows({ forgetful = false } = {}): Promise<StrategyRemote<Row>> {
  const applied: Operation[] = []
  const answers = new Map<string, Answer>()
  const stored = new Map<string, { version: number; data: Row }>()
  /** When each row changed last, the deleted ones included. */
  const revisions = new Map<string, number>()
  let revision = 0
  const arrived$ = new Subject<void>()
  let failure: RemoteFailure | undefined

  const server = await serve(({ method = '', url = '', headers }, response, body) => {
    arrived$.next()
    const failing = failure
    failure = undefined
    const refusal = failing && refusals[failing]
    if (failing === 'silent') return
    if (failing === 'unreachable') response.socket?.destroy()
    else if (refusal) response.writeHead(refusal, refusal === 429 ? { 'retry-after': '2' } : {}).end()
    else {
      const { pathname, searchParams } = new URL(url, 'http://rows')
      const isPage = method === 'GET' && pathname === '/rows'
      const id = isPage ? '' : idIn(pathname, body)
      const answered = isPage ? page(searchParams) : method === 'GET' ? look(id) : once(method, id, headers, body)
      const [status, version, text] = answered
      if (failing === 'answer-lost') response.socket?.destroy()
      else reply(response, status, version, text)
    }
  })

  function once(method: string, id: string, headers: IncomingHttpHeaders, body: string): Answer {
    const key = String(headers['idempotency-key'])
    const known = forgetful ? undefined : answers.get(key)
    const answer = known ?? write(method, id, headers['if-match'], body)
    if (answer[0] < 300) answers.set(key, answer)
    return answer
  }

  function write(method: string, id: string, ifMatch: unknown, body: string): Answer {
    const row = stored.get(id)
    const stale = ifMatch !== undefined && ifMatch !== `"${row?.version}"`
    if (stale || (method === 'POST' && row))
      return [stale ? 412 : 409, look(id)[1], `{"current":${look(id)[2] || 'null'}}`]
    if (!row && method !== 'POST') return [404, 0, '']
    applied.push(operations[method] ?? 'update')
    if (method === 'DELETE') {
      put(id, undefined)
      return [204, 0, '']
    }
    put(id, JSON.parse(body) as Row)
    return look(id)
  }

  function put(id: string, data: Row | undefined): void {
    revisions.set(id, ++revision)
    if (data) stored.set(id, { version: (stored.get(id)?.version ?? 0) + 1, data })
    else stored.delete(id)
  }

  function page(asked: URLSearchParams): Answer {
    const [since, limit] = [Number(asked.get('since') ?? 0), Number(asked.get('limit'))]
    const all = [...revisions].filter(([, at]) => at > since).toSorted(([, a], [, b]) => a - b)
    const rows = all.slice(0, limit)
    const text = JSON.stringify({
      changed: rows.flatMap(([id]) => (stored.has(id) ? [{ id, ...stored.get(id) }] : [])),
      deleted: rows.flatMap(([id]) => (stored.has(id) ? [] : [id])),
      checkpoint: String(rows.at(-1)?.[1] ?? since),
      more: rows.length < all.length,
    })
    return [200, 0, text]
  }

  function look(id: string): Answer {
    const row = stored.get(id)
    return row ? [200, row.version, JSON.stringify({ _id: `b-${id}`, ...row.data })] : [404, 0, '']
  }

  return {
    connect: () => restStrategy<Row>({ url: `${server.url}/rows` }),
    rows: () => new Map([...stored].map(([id, { data }]) => [id, data])),
    applied: () => applied,
    failNext: (next) => {
      failure = next
    },
    arrived: () => firstValueFrom(arrived$),
    write: (id, data) => put(id, data),
    close: server.close,
  }
}

function idIn(url: string, body: string): string {
  const [, , id] = url.split('/')
  return id === undefined ? (JSON.parse(body) as Row).id : id.replace(/^b-/, '')
}

function reply(response: ServerResponse, status: number, version: number, text: string): void {
  const headers = { 'content-type': 'application/json', ...(version > 0 && { etag: `"${version}"` }) }
  response.writeHead(status, text ? headers : {}).end(text)
}
