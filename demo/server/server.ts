import { cors } from 'hono/cors'
import { Hono } from 'hono'
import { adminRoutes } from './adminRoutes.ts'
import type { DemoEnv } from './demoEnv.ts'
import { entityRoutes } from './entityRoutes.ts'
import { createFaults } from './faults.ts'
import { keysInUse, parseKey } from './idempotencyKey.ts'
import { injectFaults } from './injectFaults.ts'
import { asProblem, Problem } from './problem.ts'
import { createLiveChanges } from './liveChanges.ts'
import type { Startup } from './startup.ts'
import { staticRoutes } from './staticRoutes.ts'

export interface ServerOptions {
  database: Pick<Startup, 'kind' | 'database' | 'progress'>
  /** The built app. */
  staticDir: string
  /** Epoch ms. @default Date.now */
  now?: (() => number) | undefined
  /** A page of another origin that may use the API. @default none */
  allowOrigin?: string | undefined
  /** Ends the waiting of requests that are slow on purpose. */
  closing: AbortSignal
}

const exposeHeaders = ['ETag', 'Location', 'Date', 'Retry-After', 'Idempotency-Replayed', 'WWW-Authenticate']

/** All routes; nothing listens yet. */
export function createServer({ database, staticDir, now = Date.now, allowOrigin, closing }: ServerOptions) {
  const app = new Hono<DemoEnv>()
  const faults = createFaults()
  const inUse = keysInUse()
  const live = createLiveChanges(closing)

  app.onError((error) => {
    const problem = asProblem(error)
    if (problem.status === 500) console.error(error)
    return problem.toResponse()
  })

  app.use(async (c, next) => {
    await next()
    // Chromium sends a request again by itself when a reused connection breaks, and the app would see nothing of it.
    if (faults.settings.loseAnswers > 0) c.header('Connection', 'close')
  })

  if (allowOrigin !== undefined) app.use('/api/*', cors({ origin: allowOrigin, exposeHeaders }))
  // A page of somebody else can send to a server on loopback, too.
  app.use('/api/*', async (c, next) => {
    const origin = c.req.header('Origin')
    const invited = origin !== undefined && origin === allowOrigin
    const foreign = c.req.header('Sec-Fetch-Site') === 'cross-site' && !invited
    if (foreign) throw new Problem(403, 'foreign-page')
    await next()
  })

  app.get('/api/_health', (c) => {
    const { kind, progress } = database
    return c.json({ ready: database.database !== undefined, database: kind, progress })
  })

  app.use('/api/*', async (c, next) => {
    if (!database.database) throw new Problem(503, 'starting', { headers: { 'Retry-After': '1' } })
    c.set('database', database.database)
    await next()
  })

  for (const [path, kind, isTroubled] of [
    ['/api/notes', 'note', true],
    ['/api/tags', 'tag', true],
    ['/api/detour/tags', 'tag', false],
  ] as const) {
    // The key first: it is in use as long as its request takes, on purpose or not.
    app.use(`${path}/*`, async (c, next) => {
      const key = parseKey(c.req.header('Idempotency-Key'))
      c.set('key', key)
      await inUse.during(key, next)
    })
    if (isTroubled) app.use(`${path}/*`, injectFaults(faults, closing))
    app.route(path, entityRoutes(kind, now, live))
  }
  app.route('/api', adminRoutes(faults))
  app.all('/api/*', () => new Problem(404, 'not-found').toResponse())

  app.route('/', staticRoutes(staticDir))
  return app
}
