import { type DemoServer, type DemoServerOptions, startDemoServer } from '../../../demo/server/startDemoServer.ts'

export type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>

/** A server on a free port; with TEST_DATABASE_URL on a PostgreSQL server, whose tables are emptied. */
export function startServer(options: Partial<DemoServerOptions> = {}): Promise<DemoServer> {
  const databaseUrl = process.env['TEST_DATABASE_URL']
  return startDemoServer({ port: 0, dataDir: 'memory://', databaseUrl, ...options })
}

/** A client of one server; a string is sent as it is, anything else as JSON. */
export function clientOf(url: () => string): Send {
  return (method, path, body, headers) => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    return fetch(`${url()}${path}`, {
      method,
      headers: { ...(text !== undefined && { 'Content-Type': 'application/json' }), ...headers },
      ...(text !== undefined && { body: text }),
    })
  }
}

export function withKey(key: string): Record<string, string> {
  return { 'Idempotency-Key': `"${key}"` }
}

/** The keys of all writes that were applied, in order. */
export async function appliedKeys(send: Send): Promise<unknown[]> {
  const { applied } = await (await send('GET', '/api/_applied')).json()
  return applied.map((write: { key: unknown }) => write.key)
}
