import { type WebSocket, WebSocketServer } from 'ws'
import type { Upgrade } from './upgrades.ts'

/** Where devices find each other: texts under topics, passed on and forgotten. */
export interface SignalRelay {
  upgrade: Upgrade
  close: () => void
}

const maxTopics = 64
const maxTopicLength = 256
/** Bytes: of one text, and that may wait for a slow device. */
const [maxText, maxWaiting] = [65_536, 1_048_576]

/** Passes `{"topic":…,"text":…}` on to all others that said `{"subscribe":topic}` and not yet `{"unsubscribe":topic}`. */
export function signalRelay(): SignalRelay {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxText })
  const topicsOf = new WeakMap<WebSocket, Set<string>>()

  sockets.on('connection', (client) => {
    const topics = new Set<string>()
    topicsOf.set(client, topics)
    client.on('message', (data: Buffer) => {
      const { subscribe, unsubscribe, topic, text } = parsed(String(data))
      if (isTopic(subscribe) && topics.size < maxTopics) topics.add(subscribe)
      if (typeof unsubscribe === 'string') topics.delete(unsubscribe)
      if (!isTopic(topic) || typeof text !== 'string') return
      const passed = JSON.stringify({ topic, text })
      for (const other of sockets.clients)
        if (other !== client && topicsOf.get(other)?.has(topic) && other.bufferedAmount < maxWaiting) other.send(passed)
    })
    // It is followed by 'close'.
    client.on('error', () => {})
  })

  return {
    upgrade: (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request)),
    close() {
      for (const client of sockets.clients) client.close(1001)
      sockets.close()
    },
  }
}

function isTopic(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxTopicLength
}

function parsed(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch {
    return {}
  }
}
