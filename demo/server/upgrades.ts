import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

/** Takes over the connection of a request that asks for WebSocket. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Hands requests for WebSocket to whoever has their path; pages of other origins are refused, unless invited. */
export function routeUpgrades(http: Server, routes: Record<string, Upgrade>, allowOrigin?: string): void {
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost')
    const upgrade = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined
    if (!upgrade) return refuse(socket, '404 Not Found')
    if (isForeign(request, allowOrigin)) return refuse(socket, '403 Forbidden')
    upgrade(request, socket, head)
  })
}

/** Pages of others may not use the server of somebody's machine, whatever they know. What is no page says no origin. */
function isForeign({ headers }: IncomingMessage, allowOrigin?: string): boolean {
  const { origin, host } = headers
  if (origin === undefined || origin === allowOrigin) return false
  return !URL.canParse(origin) || new URL(origin).host !== host
}

function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => {})
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`)
}
