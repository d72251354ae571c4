import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * Makes sure that one process at a time opens a folder: two PGlites on the same files destroy them.
 * A listening socket is the lock, because it dies with its process; a file with a pid in it would not.
 * @throws Error when another process, or this one, holds the folder
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const name = `rx-outbox-${createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 16)}`
  const path = process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`)
  let server = await listen(path)
  if (!server && !(await answers(path))) {
    await rm(path, { force: true })
    server = await listen(path)
  }
  if (!server) throw new Error(`The folder ${folder} is in use by another demo server.`)
  const held = server
  return () => new Promise((done) => held.close(() => done()))
}

function listen(path: string): Promise<Server | undefined> {
  return new Promise((done, fail) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? done(undefined) : fail(error),
    )
    server.listen(path, () => {
      server.unref()
      done(server)
    })
  })
}

function answers(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path)
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
    socket.once('close', () => socket.destroy())
  })
}
