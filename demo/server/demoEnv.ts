import type { HttpBindings } from '@hono/node-server'
import type { Database } from './database.ts'

/** What a route finds in its context. */
export interface DemoEnv {
  Bindings: HttpBindings
  Variables: {
    database: Database
    /** The Idempotency-Key, parsed. */
    key: string | undefined
  }
}
