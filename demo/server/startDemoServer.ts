import { setMaxListeners } from 'node:events'
import { createServer as createHttpServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Database } from './database.ts'
import { crdtServer, type CrdtServerOptions } from './crdt/crdtServer.ts'
import { createServer, type ServerOptions } from './server.ts'
import { signalRelay } from './signalRelay.ts'
import { type DatabaseOptions, type Progress, startDatabase } from './startup.ts'
import { routeUpgrades } from './upgrades.ts'

type Settings = Partial<Pick<ServerOptions, 'staticDir' | 'now' | 'allowOrigin'>>

export interface DemoServerOptions extends DatabaseOptions, Settings {
  /** 0 takes any that is free. */
  port: number
  /** @default '127.0.0.1' */
  host?: string | undefined
  /** What devices show to reach the documents under `/crdt`. @default 'demo' */
  crdtToken?: string | undefined
  /** Joins the documents of several servers that share a database. */
  redisUrl?: string | undefined
  crdtLimits?: CrdtServerOptions['limits']
  /** Called once it listens; the database may take seconds more. */
  onListening?: (url: string) => void
  onProgress?: (progress: Progress) => void
}

export interface DemoServer {
  url: string
  database: Database
  /** Ends what runs, then closes the database. */
  close: () => Promise<void>
}

/**
 * Starts the server; resolves when it listens and its database is ready.
 *
 * @example
 * const server = await startDemoServer({ port: 0, dataDir: 'memory://' })
 * await fetch(`${server.url}/api/notes`)
 * await server.close()
 */
export async function startDemoServer(options: DemoServerOptions): Promise<DemoServer> {
  const { port, host = '127.0.0.1', staticDir = 'demo/dist', now, allowOrigin, onListening, onProgress } = options
  const http = createHttpServer()
  const url = await listen(http, port, host)
  onListening?.(url)

  const startup = startDatabase(options, onProgress)
  const closing = new AbortController()
  setMaxListeners(0, closing.signal)
  const app = createServer({ database: startup, staticDir, now, allowOrigin, closing: closing.signal })
  const { crdtToken = 'demo', redisUrl, crdtLimits } = options
  const crdt = crdtServer({
    database: startup.opened,
    token: crdtToken,
    redisUrl,
    limits: crdtLimits,
  })
  const relay = signalRelay()
  routeUpgrades(http, { '/crdt': crdt.upgrade, '/signal': relay.upgrade }, allowOrigin)
  const running = new Set<Promise<unknown>>()
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  http.on('request', (incoming, outgoing) => {
    const run = answer(incoming, outgoing).finally(() => running.delete(run))
    running.add(run)
  })

  const end = async () => {
    closing.abort()
    http.close()
    relay.close()
    // Also those whose client is gone: their writes need the database.
    await Promise.allSettled(running)
    await crdt.close()
    http.closeAllConnections()
    const database = await startup.opened.catch(() => undefined)
    await database?.close()
  }
  let ended: Promise<void> | undefined
  const close = () => (ended ??= end())

  try {
    return { url, close, database: await startup.opened }
  } catch (error) {
    await close()
    throw error
  }
}

function listen(http: Server, port: number, host: string): Promise<string> {
  return new Promise((done, fail) => {
    http.once('error', fail)
    http.listen(port, host, () => {
      http.off('error', fail)
      const address = http.address()
      const actual = typeof address === 'object' && address ? address.port : port
      done(`http://${host.includes(':') ? `[${host}]` : host}:${actual}`)
    })
  })
}
