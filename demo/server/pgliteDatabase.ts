import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database } from './database.ts'
import { lockFolder } from './folderLock.ts'
import { type PgliteThread, pgliteThread } from './pgliteThread.ts'

const memory = 'memory://'
const cluster = (dataDir: string) => join(dataDir, 'pglite')
const complete = (dataDir: string) => join(dataDir, 'pglite.complete')

/** Whether there is a database to open; making one takes longer. */
export function hasCluster(dataDir: string): boolean {
  return dataDir !== memory && existsSync(complete(dataDir))
}

/** PostgreSQL inside this process. `memory://` keeps nothing; a folder belongs to one process at a time. */
export async function pgliteDatabase(dataDir: string): Promise<Database> {
  if (dataDir === memory) return asDatabase(await pgliteThread(memory))
  await mkdir(dataDir, { recursive: true })
  const unlock = await lockFolder(dataDir)
  try {
    // Killed while it was made, a cluster can never be opened, and it holds nothing yet.
    if (!hasCluster(dataDir)) await rm(cluster(dataDir), { recursive: true, force: true })
    const thread = await pgliteThread(cluster(dataDir))
    await writeFile(complete(dataDir), '')
    return asDatabase(thread, unlock)
  } catch (error) {
    await unlock()
    throw error
  }
}

function asDatabase(thread: PgliteThread, unlock?: () => Promise<void>): Database {
  // There is one connection: whoever comes later waits until a transaction has ended.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }
  return {
    kind: 'pglite',
    query: (text, params) => inTurn(() => thread.query(text, params)),
    transaction: (work) =>
      inTurn(async () => {
        await thread.query('begin')
        try {
          const result = await work({ query: thread.query })
          await thread.query('commit')
          return result
        } catch (error) {
          await thread.query('rollback')
          throw error
        }
      }),
    close: () =>
      inTurn(async () => {
        await thread.close()
        await unlock?.()
      }),
  }
}
