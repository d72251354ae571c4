import type { Database, DatabaseKind } from './database.ts'
import { pgliteDatabase } from './pgliteDatabase.ts'
import { postgresDatabase } from './postgresDatabase.ts'
import { createSchema } from './schema.ts'

export interface Progress {
  step: string
  /** 0 to 1; an estimate, PGlite does not say how far it is. */
  done: number
  elapsedMs: number
}

export interface DatabaseOptions {
  /** @default 'demo/.data'; `memory://` keeps nothing */
  dataDir?: string | undefined
  /** A PostgreSQL server to use instead of PGlite. */
  databaseUrl?: string | undefined
}

/** A database on its way: what the server can already say of it. */
export interface Startup {
  readonly kind: DatabaseKind
  /** `undefined` until it is ready. */
  readonly database: Database | undefined
  readonly progress: Progress
  /** Rejects when it cannot be opened. */
  readonly opened: Promise<Database>
}

/** Opens the database; the server listens meanwhile. */
export function startDatabase(options: DatabaseOptions, onProgress: (progress: Progress) => void = () => {}): Startup {
  const began = performance.now()
  const kind: DatabaseKind = options.databaseUrl ? 'postgres' : 'pglite'
  let database: Database | undefined
  let step = ''
  let done = 0
  const progress = (): Progress => ({ step, done, elapsedMs: Math.round(performance.now() - began) })
  const enter = (name: string, share: number) => {
    step = name
    done = share
    onProgress(progress())
  }

  const open = async (): Promise<Database> => {
    let opening: Database | undefined
    try {
      enter('starting the database', 0.1)
      opening = options.databaseUrl
        ? await postgresDatabase(options.databaseUrl)
        : await pgliteDatabase(options.dataDir ?? 'demo/.data')
      enter('creating the tables', 0.8)
      await createSchema(opening)
      database = opening
      enter('ready', 1)
      return opening
    } catch (error) {
      enter('failed', done)
      await opening?.close()
      throw error
    }
  }
  const opened = open()
  // Whoever waits for it hears of it; nobody has to.
  opened.catch(() => {})

  return {
    kind,
    opened,
    get database() {
      return database
    },
    get progress() {
      return progress()
    },
  }
}
