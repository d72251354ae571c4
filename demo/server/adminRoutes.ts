import { Hono } from 'hono'
import { listApplied } from './applied.ts'
import type { DemoEnv } from './demoEnv.ts'
import { type Faults, faultsShape } from './faults.ts'
import { parseBody, parseQuery, sinceShape } from './input.ts'
import { readBody } from './readBody.ts'
import { emptyTables } from './schema.ts'

/** What tests and the side panel of the demo steer and watch; no part of what an outbox needs. */
export function adminRoutes(faults: Faults): Hono<DemoEnv> {
  const routes = new Hono<DemoEnv>()

  routes.get('/_faults', (c) => c.json(faults.settings))

  routes.put('/_faults', async (c) => {
    faults.set(parseBody(c.req, await readBody(c.req), faultsShape))
    return c.json(faults.settings)
  })

  routes.get('/_applied', async (c) => {
    const { since = '0' } = parseQuery(c.req, sinceShape)
    return c.json({ applied: await listApplied(c.var.database, since) })
  })

  routes.post('/_reset', async (c) => {
    await emptyTables(c.var.database)
    return c.body(null, 204)
  })

  return routes
}
