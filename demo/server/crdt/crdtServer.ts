import { Redis } from '@hocuspocus/extension-redis'
import { Hocuspocus } from '@hocuspocus/server'
import { checkUpdate, type UpdateLimits } from 'rx-outbox/crdt'
import { WebSocketServer } from 'ws'
import type { Database } from '../database.ts'
import type { Upgrade } from '../upgrades.ts'
import { loadDocument, mergeUpdates, storeUpdate } from './documents.ts'

export interface CrdtServerOptions {
  database: Promise<Database>
  /** What a device must show. */
  token: string
  /** Joins several servers: `redis://…`. @default none */
  redisUrl?: string | undefined
  /** @default those of `checkUpdate` */
  limits?: Partial<UpdateLimits> | undefined
}

/** Messages above this are not even read. */
const maxMessageBytes = 2_097_152

/** Documents by WebSocket. */
export function crdtServer(options: CrdtServerOptions): { upgrade: Upgrade; close: () => Promise<void> } {
  const { database, token: expected, redisUrl, limits } = options
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes })
  const unloaded = new Set<() => void>()

  const hocuspocus = new Hocuspocus({
    quiet: true,
    extensions: redisUrl === undefined ? [] : [redis(redisUrl)],
    onAuthenticate: async ({ token }) => {
      if (token !== expected) throw new Error('not authorized')
    },
    onLoadDocument: async ({ documentName }) => loadDocument(await database, documentName),
    beforeSync: async ({ type, payload, document, documentName, connection }) => {
      // 0 asks; 1 and 2 bring something. An empty update says nothing but two zeros.
      if (type === 0 || payload.length <= 2 || connection.readOnly) return
      checkUpdate(document, payload, limits)
      await storeUpdate(await database, documentName, payload)
    },
    onStoreDocument: async ({ documentName }) => mergeUpdates(await database, documentName),
    afterUnloadDocument: async () => {
      for (const look of unloaded) look()
    },
  })

  const upgrade: Upgrade = (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (client) => {
      const { url = '', headers } = request
      const connection = hocuspocus.handleConnection(
        client,
        new Request(new URL(url, `http://${headers.host}`), { headers: { origin: headers.origin ?? '' } }),
      )
      client.on('message', (data: Buffer) => {
        connection.handleMessage(new Uint8Array(data))
      })
      client.on('close', (code, reason) => {
        connection.handleClose({ code, reason: String(reason) })
      })
      // It is followed by 'close'.
      client.on('error', () => {})
    })
  }

  return {
    upgrade,
    close: async () => {
      for (const client of sockets.clients) client.close(1001)
      hocuspocus.closeConnections()
      hocuspocus.flushPendingStores()
      await new Promise<void>((done) => {
        const look = () => {
          if (hocuspocus.getDocumentsCount() === 0) done()
        }
        unloaded.add(look)
        look()
      })
      for (const client of sockets.clients) client.terminate()
      await hocuspocus.hooks('onDestroy', { instance: hocuspocus })
    },
  }
}

function redis(address: string): Redis {
  const { hostname, port, username, password } = new URL(address)
  const options = { ...(username && { username }), ...(password && { password: decodeURIComponent(password) }) }
  return new Redis({ host: hostname, port: Number(port || 6379), options })
}
