import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { serveStatic } from '@hono/node-server/serve-static'
import { Hono } from 'hono'
import type { DemoEnv } from './demoEnv.ts'

/** The names of assets change with their content; all else has to be asked for anew. */
const forEver = 'public, max-age=31536000, immutable'

/** The built app; a path that names no file is one of its own pages. */
export function staticRoutes(staticDir: string): Hono<DemoEnv> {
  const root = resolve(staticDir)
  const routes = new Hono<DemoEnv>()
  routes.use(async (c, next) => {
    await next()
    if (c.res.ok) c.header('Cache-Control', c.req.path.startsWith('/assets/') ? forEver : 'no-cache')
  })
  if (existsSync(root)) {
    const page = serveStatic<DemoEnv>({ root, path: 'index.html' })
    routes.use(serveStatic<DemoEnv>({ root }))
    routes.get('*', (c, next) => (/\.\w+$/.test(c.req.path) ? next() : page(c, next)))
  }
  routes.all('*', (c) => c.text('Not here. Has the demo been built?', 404))
  return routes
}
