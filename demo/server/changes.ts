import type { Sql } from './database.ts'
import { type Kind, columns, toRow } from './entityRow.ts'

export interface ChangesPage {
  changed: { id: string; backendId: string; version: number; updatedAt: string; data: Record<string, unknown> }[]
  deleted: string[]
  checkpoint: string
  more: boolean
}

/** What changed after a checkpoint; without one, everything alive. */
export async function listChanges(
  sql: Sql,
  kind: Kind,
  since: string | undefined,
  limit: number | undefined,
): Promise<ChangesPage> {
  const found = await sql.query(
    `select ${columns} from entity
     where kind = $1 and entity.revision > $2::text::bigint and (not deleted or $3::bool)
     order by entity.revision limit $4::int`,
    // One more than asked for tells whether there is more.
    [kind, since ?? '0', since !== undefined, limit === undefined ? null : limit + 1],
  )
  const rows = found.map(toRow)
  const page = rows.slice(0, limit)
  return {
    changed: page
      .filter((row) => !row.deleted)
      .map((row) => ({
        id: row.id,
        backendId: row.backend_id,
        version: row.version,
        updatedAt: row.updated_at.toISOString(),
        data: row.data,
      })),
    deleted: page.filter((row) => row.deleted).map((row) => row.id),
    checkpoint: page.at(-1)?.revision ?? since ?? '0',
    more: page.length < rows.length,
  }
}
