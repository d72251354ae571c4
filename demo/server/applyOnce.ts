import { type AppliedWrite, recordApplied } from './applied.ts'
import type { Database, Sql } from './database.ts'
import type { Row } from './entityRow.ts'
import { type Answer, fingerprintOf, recall, remember, sha256 } from './idempotency.ts'
import { lockWrites } from './schema.ts'

export interface WriteRequest extends Pick<AppliedWrite, 'key' | 'kind' | 'operation'> {
  method: string
  path: string
  body: string
  at: Date
}

/**
 * The heart of it: applies a write and remembers its key, or gives the answer that the key got before. One transaction,
 * so that no crash can come between. A refusal is thrown and leaves nothing behind, not even the key.
 */
export function applyOnce(
  database: Database,
  request: WriteRequest,
  write: (sql: Sql) => Promise<Row>,
  answerTo: (request: WriteRequest, row: Row) => Answer,
): Promise<Answer> {
  const { key, method, path, body, at } = request
  const fingerprint = fingerprintOf(method, path, body)
  return database.transaction(async (sql) => {
    // First of all: revisions become visible in the order they are drawn, and versions are compared without races.
    await sql.query(lockWrites)
    const known = key === undefined ? undefined : await recall(sql, key, fingerprint)
    if (known) return known
    const row = await write(sql)
    const answer = answerTo(request, row)
    await recordApplied(sql, { ...request, row, bodyHash: sha256(body) })
    if (key !== undefined) await remember(sql, key, fingerprint, answer, at)
    return answer
  })
}
