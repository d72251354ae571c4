import type { Database, DatabaseKind } from './database.ts'
import { hasCluster, pgliteDatabase } from './pgliteDatabase.ts'
import { postgresDatabase } from './postgresDatabase.ts'
import { createSchema } from './schema.ts'

export interface Progress {
  step: string
  /** 0 to 1; an estimate by the time that it usually takes, because PGlite does not say. */
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

/** Opens the database; the server listens meanwhile. `onProgress` is called with each step and once a second. */
export function startDatabase(options: DatabaseOptions, onProgress: (progress: Progress) => void = () => {}): Startup {
  const { databaseUrl, dataDir = 'demo/.data' } = options
  const began = performance.now()
  const { step, usualMs } = whatItTakes(databaseUrl, dataDir)
  let database: Database | undefined
  let end: Progress | undefined

  const elapsedMs = () => Math.round(performance.now() - began)
  const progress = (): Progress => end ?? { step, done: estimate(elapsedMs(), usualMs), elapsedMs: elapsedMs() }

  const open = async (): Promise<Database> => {
    const ticking = setInterval(() => onProgress(progress()), 1_000)
    let opening: Database | undefined
    try {
      onProgress(progress())
      opening = databaseUrl ? await postgresDatabase(databaseUrl) : await pgliteDatabase(dataDir)
      await createSchema(opening)
      database = opening
      end = { step: 'ready', done: 1, elapsedMs: elapsedMs() }
      onProgress(end)
      return opening
    } catch (error) {
      await opening?.close()
      throw error
    } finally {
      clearInterval(ticking)
    }
  }
  const opened = open()
  // Whoever waits for it hears of it; nobody has to.
  opened.catch(() => {})

  return {
    kind: databaseUrl ? 'postgres' : 'pglite',
    opened,
    get database() {
      return database
    },
    get progress() {
      return progress()
    },
  }
}

function whatItTakes(databaseUrl: string | undefined, dataDir: string) {
  if (databaseUrl) return { step: 'connecting to the database', usualMs: 500 }
  if (hasCluster(dataDir)) return { step: 'opening the database', usualMs: 1_500 }
  return { step: 'creating the database', usualMs: 5_000 }
}

/** Most of the way in the usual time, then ever slower, so that it never stands still. */
function estimate(elapsedMs: number, usualMs: number): number {
  return Math.round((1 - Math.exp((-2 * elapsedMs) / usualMs)) * 99) / 100
}
