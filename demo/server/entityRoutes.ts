import { type Context, Hono } from 'hono'
import { applyOnce, type WriteRequest } from './applyOnce.ts'
import { listChanges } from './changes.ts'
import type { Sql } from './database.ts'
import type { DemoEnv } from './demoEnv.ts'
import { createRow, deleteRow, getRow, updateRow } from './entities.ts'
import { type Kind, type Row, present } from './entityRow.ts'
import { etagOf, ifNoneMatch } from './etag.ts'
import { type Answer, toResponse } from './idempotency.ts'
import { createShape, pageShape, parseBody, parseQuery, sinceShape, updateShape } from './input.ts'
import { type LiveChanges, liveResponse } from './liveChanges.ts'
import { readBody } from './readBody.ts'

/** The REST of one kind of entity, mounted at its collection. */
export function entityRoutes(kind: Kind, now: () => number, live: LiveChanges): Hono<DemoEnv> {
  const routes = new Hono<DemoEnv>()

  routes.get('/', async (c) => {
    const { since, limit } = parseQuery(c.req, pageShape)
    return c.json(await listChanges(c.var.database, kind, since, limit))
  })

  routes.get('/changes', async (c) => {
    const since = parseQuery({ query: () => ({ since: c.req.header('Last-Event-ID') }) }, sinceShape).since
    return liveResponse(c.var.database, kind, since, { live, gone: c.req.raw.signal })
  })

  routes.get('/:id', async (c) => {
    const row = await getRow(c.var.database, kind, c.req.param('id'))
    const headers = { ETag: etagOf(row.version), 'Cache-Control': 'no-cache' }
    if (ifNoneMatch(c.req.header('If-None-Match'), row.version)) return c.body(null, 304, headers)
    return c.json(present(row), 200, headers)
  })

  routes.post('/', async (c) => {
    const request = await readWrite(c, 'create')
    const data = parseBody(c.req, request.body, createShape)
    return answerWrite(c, request, (sql) => createRow(sql, kind, data, request.at))
  })

  routes.put('/:id', async (c) => {
    const request = await readWrite(c, 'update')
    const data = parseBody(c.req, request.body, updateShape)
    const base = c.req.header('If-Match')
    return answerWrite(c, request, (sql) => updateRow(sql, kind, c.req.param('id'), data, base, request.at))
  })

  routes.delete('/:id', async (c) => {
    const request = await readWrite(c, 'delete')
    const base = c.req.header('If-Match')
    return answerWrite(c, request, (sql) => deleteRow(sql, kind, c.req.param('id'), base, request.at))
  })

  async function readWrite(c: Context<DemoEnv>, operation: WriteRequest['operation']): Promise<WriteRequest> {
    const { method } = c.req
    // On whichever way it comes, it is the same request.
    const path = c.req.path.replace('/detour/', '/')
    const body = operation === 'delete' ? '' : await readBody(c.req)
    return { key: c.var.key, kind, operation, method, path, body, at: new Date(now()) }
  }

  async function answerWrite(c: Context<DemoEnv>, request: WriteRequest, write: (sql: Sql) => Promise<Row>) {
    const answer = await applyOnce(c.var.database, request, write, answerTo)
    live.tell()
    return toResponse(answer)
  }

  return routes
}

function answerTo({ operation, path }: WriteRequest, row: Row): Answer {
  if (operation === 'delete') return { status: 204, headers: {}, body: null }
  return {
    status: operation === 'create' ? 201 : 200,
    headers: {
      'Content-Type': 'application/json',
      ETag: etagOf(row.version),
      ...(operation === 'create' && { Location: `${path}/${row.backend_id}` }),
    },
    body: JSON.stringify(present(row)),
  }
}
