// PGlite computes for seconds while it starts, and the server has to answer meanwhile: so it has a thread of its own.
// Plain JavaScript, because Node 20 starts a thread with nothing else.
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'

const db = await PGlite.create(workerData)

/** @param {{ id: number, text: string, params?: unknown[] } | { id: number, close: true }} request */
async function answer(request) {
  try {
    if ('close' in request) await db.close()
    const rows = 'close' in request ? [] : (await db.query(request.text, request.params)).rows
    parentPort?.postMessage({ id: request.id, rows })
  } catch (error) {
    const { message, code } = Object(error)
    parentPort?.postMessage({ id: request.id, error: { message: String(message), code } })
  }
}

parentPort?.on('message', (request) => void answer(request))
parentPort?.postMessage('open')
