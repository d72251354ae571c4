import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { crdtServer, type CrdtServerOptions } from '../../../demo/server/crdt/crdtServer.ts'
import type { Database } from '../../../demo/server/database.ts'
import { pgliteDatabase } from '../../../demo/server/pgliteDatabase.ts'
import { createSchema } from '../../../demo/server/schema.ts'
import { routeUpgrades } from '../../../demo/server/upgrades.ts'

export const token = 'secret'

/** The demo's database, in memory; it takes seconds, so one serves a whole file. */
export async function crdtDatabase(): Promise<Database> {
  const database = await pgliteDatabase('memory://')
  await createSchema(database)
  return database
}

/** The demo's documents without the rest of the demo. */
export async function crdtHost(database: Database, options: Partial<CrdtServerOptions> & { port?: number } = {}) {
  const http = createServer()
  const { port: wanted = 0, ...rest } = options
  const server = crdtServer({ database: Promise.resolve(database), token, ...rest })
  routeUpgrades(http, { '/crdt': server.upgrade })
  await new Promise<void>((done) => http.listen(wanted, '127.0.0.1', done))
  const { port } = http.address() as AddressInfo
  let closed: Promise<unknown> | undefined
  return {
    port,
    url: `ws://127.0.0.1:${port}/crdt`,
    close: () => (closed ??= Promise.all([server.close(), new Promise((done) => http.close(done))])),
  }
}
