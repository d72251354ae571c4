import { setTimeout } from 'node:timers/promises'
import { listChanges } from './changes.ts'
import type { Sql } from './database.ts'
import type { Kind } from './entityRow.ts'

/** Milliseconds after which a connection is looked at, whatever happens: another server may have written. */
const keepAlive = 15_000

/** Lets connections know that something was written. */
export interface LiveChanges {
  tell: () => void
  /** Resolves at the next write, after a while, or with the end of `signal` or of the server. */
  next: (signal: AbortSignal) => Promise<void>
  readonly closing: AbortSignal
}

export function createLiveChanges(closing: AbortSignal): LiveChanges {
  let written = new AbortController()
  return {
    closing,
    tell() {
      written.abort()
      written = new AbortController()
    },
    async next(signal) {
      const any = AbortSignal.any([signal, closing, written.signal])
      await setTimeout(keepAlive, undefined, { signal: any }).catch(() => undefined)
    },
  }
}

/** An open connection that says what changes, as Server-Sent Events; from `since` on, or from now. */
export async function liveResponse(
  sql: Sql,
  kind: Kind,
  since: string | undefined,
  { live, gone }: { live: LiveChanges; gone: AbortSignal },
): Promise<Response> {
  let position = since ?? (await lastRevision(sql, kind))
  const ended = () => gone.aborted || live.closing.aborted
  const encoder = new TextEncoder()
  const body = new ReadableStream({
    async start(controller) {
      const say = (text: string) => controller.enqueue(encoder.encode(text))
      // Proxies wait for a first byte.
      say(': here\n\n')
      while (!ended()) {
        // Before it is looked: what is written meanwhile is looked at next.
        const next = live.next(gone)
        const { changed, deleted, checkpoint } = await listChanges(sql, kind, position, undefined)
        const events = [...changed, ...deleted.map((id) => ({ id, deleted: true }))].map((row) => JSON.stringify(row))
        if (ended()) break
        // The last one says how far it is: whoever is cut off before gets all of them again.
        for (const [i, data] of events.entries())
          say(`${i === events.length - 1 ? `id: ${checkpoint}\n` : ''}data: ${data}\n\n`)
        if (events.length === 0) say(': still here\n\n')
        position = checkpoint
        await next
      }
      if (!gone.aborted) controller.close()
    },
  })
  return new Response(body, { headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' } })
}

async function lastRevision(sql: Sql, kind: Kind): Promise<string> {
  const [row] = await sql.query('select coalesce(max(revision), 0)::text as last from entity where kind = $1', [kind])
  return typeof row === 'object' && row !== null && 'last' in row ? String(row.last) : '0'
}
