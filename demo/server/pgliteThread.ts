import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import type { Param } from './database.ts'

const answerShape = z.object({
  id: z.number(),
  rows: z.array(z.unknown()).optional(),
  error: z.object({ message: z.string(), code: z.string().optional() }).optional(),
})

interface Call {
  answer: (rows: unknown[]) => void
  refuse: (error: Error) => void
}

/** An error of PostgreSQL; `code` is its SQLSTATE. */
class PgliteError extends Error {
  override name = 'PgliteError'
  readonly code: string | undefined

  constructor(message: string, code: string | undefined) {
    super(message)
    this.code = code
  }
}

export interface PgliteThread {
  query: (text: string, params?: Param[]) => Promise<unknown[]>
  close: () => Promise<void>
}

/** Starts PGlite in a thread; resolves when it can be asked. */
export async function pgliteThread(dataDir: string): Promise<PgliteThread> {
  const worker = new Worker(workerFile(), { workerData: dataDir })
  const calls = new Map<number, Call>()
  let lastId = 0
  let ended: Error | undefined

  const call = (request: { text: string; params?: Param[] | undefined } | { close: true }) =>
    new Promise<unknown[]>((answer, refuse) => {
      if (ended) throw ended
      calls.set(++lastId, { answer, refuse })
      worker.postMessage({ id: lastId, ...request })
    })
  const fail = (error: Error) => {
    ended ??= error
    for (const { refuse } of calls.values()) refuse(ended)
    calls.clear()
  }
  worker.on('error', fail)
  worker.on('exit', () => fail(new Error('The thread of the database has ended.')))

  await new Promise<unknown>((opened, failed) => {
    worker.once('message', opened)
    worker.once('exit', () => failed(ended))
  })
  worker.on('message', (message: unknown) => {
    const { id, rows, error } = answerShape.parse(message)
    const waiting = calls.get(id)
    calls.delete(id)
    if (error) waiting?.refuse(new PgliteError(error.message, error.code))
    else waiting?.answer(rows ?? [])
  })

  return {
    query: (text, params) => call({ text, params }),
    close: async () => {
      await call({ close: true })
      await worker.terminate()
    },
  }
}

/** Beside this file; the bundle of the demo lies elsewhere and runs in the root of the repository. */
function workerFile(): URL {
  const beside = new URL('./pgliteWorker.mjs', import.meta.url)
  return existsSync(beside) ? beside : pathToFileURL(resolve('demo/server/pgliteWorker.mjs'))
}
