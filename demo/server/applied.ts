import { z } from 'zod'
import type { Sql } from './database.ts'
import type { Kind, Row } from './entityRow.ts'

export interface AppliedWrite {
  key: string | undefined
  kind: Kind
  operation: 'create' | 'update' | 'delete'
  row: Row
  bodyHash: string
}

/** Notes a write in the journal, within its transaction. */
export async function recordApplied(sql: Sql, write: AppliedWrite): Promise<void> {
  const { key, kind, operation, row, bodyHash } = write
  await sql.query(
    `insert into applied (key, kind, entity_id, backend_id, operation, version, body_hash, at)
     values ($1, $2, $3, $4, $5, $6, $7, $8::text::timestamptz)`,
    [key ?? null, kind, row.id, row.backend_id, operation, row.version, bodyHash, row.updated_at.toISOString()],
  )
}

const rowShape = z
  .object({
    seq: z.coerce.number(),
    key: z.string().nullable(),
    kind: z.string(),
    entity_id: z.string(),
    backend_id: z.string(),
    operation: z.string(),
    version: z.number(),
    body_hash: z.string(),
    at: z.date(),
  })
  .transform(({ entity_id: entityId, backend_id: backendId, body_hash: bodyHash, at, ...row }) => ({
    ...row,
    entityId,
    backendId,
    bodyHash,
    at: at.toISOString(),
  }))

/** Each write that was applied, in order. */
export async function listApplied(sql: Sql, since: string) {
  const rows = await sql.query('select * from applied where seq > $1::text::bigint order by seq', [since])
  return rows.map((row) => rowShape.parse(row))
}
