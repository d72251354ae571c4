import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Sql } from './database.ts'
import { Problem } from './problem.ts'

const answerShape = z.object({
  status: z.number(),
  headers: z.record(z.string(), z.string()),
  body: z.string().nullable(),
})

/** An answer that can be kept and given again. */
export type Answer = z.output<typeof answerShape>

export function toResponse(answer: Answer): Response {
  return new Response(answer.body, { status: answer.status, headers: answer.headers })
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** What makes two requests the same one. */
export function fingerprintOf(method: string, path: string, body: string): string {
  return sha256(`${method} ${path}\n${body}`)
}

const rowShape = z.object({ fingerprint: z.string(), answer: answerShape })

/**
 * The answer that a key got before, marked as replayed.
 * @throws Problem 422 when the key stood for another request
 */
export async function recall(sql: Sql, key: string, fingerprint: string): Promise<Answer | undefined> {
  const rows = await sql.query('select fingerprint, answer from idempotency where key = $1', [key])
  if (rows.length === 0) return undefined
  const known = rowShape.parse(rows[0])
  if (known.fingerprint !== fingerprint) {
    throw new Problem(422, 'key-reused', { detail: 'This Idempotency-Key stood for another request.' })
  }
  return { ...known.answer, headers: { ...known.answer.headers, 'Idempotency-Replayed': 'true' } }
}

/** Belongs into the transaction of the write: both are kept, or neither. */
export async function remember(sql: Sql, key: string, fingerprint: string, answer: Answer, at: Date): Promise<void> {
  await sql.query(
    'insert into idempotency (key, fingerprint, answer, at) values ($1, $2, $3::text::jsonb, $4::text::timestamptz)',
    [key, fingerprint, JSON.stringify(answer), at.toISOString()],
  )
}
