import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PGlite } from '@electric-sql/pglite'
import type { Database } from './database.ts'
import { lockFolder } from './folderLock.ts'

/** PostgreSQL inside this process. `memory://` keeps nothing; a folder belongs to one process at a time. */
export async function pgliteDatabase(dataDir: string): Promise<Database> {
  if (dataDir === 'memory://') return asDatabase(await create(dataDir))
  await mkdir(dataDir, { recursive: true })
  const unlock = await lockFolder(dataDir)
  try {
    return asDatabase(await openFolder(dataDir), unlock)
  } catch (error) {
    await unlock()
    throw error
  }
}

async function openFolder(dataDir: string): Promise<PGlite> {
  const cluster = join(dataDir, 'pglite')
  const complete = join(dataDir, 'pglite.complete')
  // Killed while it was made the first time, a cluster can never be opened, and holds nothing yet.
  if (!existsSync(complete)) await rm(cluster, { recursive: true, force: true })
  const db = await create(cluster)
  await writeFile(complete, '')
  return db
}

async function create(dataDir: string): Promise<PGlite> {
  // Loaded here: 27 MB that a server with DATABASE_URL does not need.
  const { PGlite } = await import('@electric-sql/pglite')
  return PGlite.create(dataDir)
}

function asDatabase(db: PGlite, unlock?: () => Promise<void>): Database {
  return {
    kind: 'pglite',
    query: async (text, params) => (await db.query(text, params)).rows,
    transaction: (work) =>
      db.transaction((tx) => work({ query: async (text, params) => (await tx.query(text, params)).rows })),
    close: async () => {
      await db.close()
      await unlock?.()
    },
  }
}
