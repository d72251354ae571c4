import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { signalRelay } from '../../../demo/server/signalRelay.ts'
import { routeUpgrades } from '../../../demo/server/upgrades.ts'

const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' }

/** Serves the files of `folder`, passes on what devices say to find each other, and does nothing else. Close it. */
export async function staticServer(
  folder: string,
): Promise<{ url: string; asked: string[]; close: () => Promise<void> }> {
  /** The path of every request. */
  const asked: string[] = []
  const http = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost')
    asked.push(pathname)
    readFile(join(folder, pathname)).then(
      (body) => response.writeHead(200, { 'content-type': types[extname(pathname)] ?? 'text/plain' }).end(body),
      () => response.writeHead(404).end(),
    )
  })
  const relay = signalRelay()
  routeUpgrades(http, { '/signal': relay.upgrade })
  await new Promise<void>((done) => {
    http.listen(0, '127.0.0.1', done)
  })
  const address = http.address()
  if (typeof address !== 'object' || !address) throw new Error('It does not listen')
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    close: () =>
      new Promise((done) => {
        relay.close()
        http.close(() => done())
        http.closeAllConnections()
      }),
  }
}
