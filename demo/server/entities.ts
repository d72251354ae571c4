import { randomUUID } from 'node:crypto'
import type { Sql } from './database.ts'
import { type Kind, type Row, columns, present, toRow } from './entityRow.ts'
import { etagOf, ifMatch } from './etag.ts'
import { Problem } from './problem.ts'

/** The row with that client's or server's id, the deleted ones included. */
export async function findRow(sql: Sql, kind: Kind, id: string): Promise<Row | undefined> {
  const rows = await sql.query(
    `select ${columns} from entity
     where kind = $1 and (backend_id = $2 or id = $2) order by backend_id = $2 desc limit 1`,
    [kind, id],
  )
  return rows.map(toRow)[0]
}

/** @throws Problem 404 for a row that never was or is deleted */
export async function getRow(sql: Sql, kind: Kind, id: string): Promise<Row> {
  const row = await findRow(sql, kind, id)
  if (!row || row.deleted) throw new Problem(404, 'not-found', { detail: `There is no ${kind} with this id.` })
  return row
}

/** @throws Problem 409 with what is stored, when the id is taken */
export async function createRow(sql: Sql, kind: Kind, data: { id: string }, at: Date): Promise<Row> {
  const known = await findRow(sql, kind, data.id)
  if (known && !known.deleted) {
    const detail = `There is a ${kind} with this id already.`
    throw new Problem(409, 'already-exists', { detail, current: present(known), etag: etagOf(known.version) })
  }
  return putRow(sql, kind, {
    id: data.id,
    backend_id: known?.backend_id ?? randomUUID(),
    data,
    version: (known?.version ?? 0) + 1,
    deleted: false,
    updated_at: at,
  })
}

/** @throws Problem 404, or 412 with what is stored */
export async function updateRow(
  sql: Sql,
  kind: Kind,
  id: string,
  data: { id?: string | undefined },
  base: string | undefined,
  at: Date,
): Promise<Row> {
  const row = await getRow(sql, kind, id)
  if (data.id !== undefined && data.id !== row.id) {
    throw new Problem(422, 'not-acceptable', { detail: 'The id in the body is not the one of this entity.' })
  }
  refuseStale(row, base)
  return putRow(sql, kind, { ...row, data: { ...data, id: row.id }, version: row.version + 1, updated_at: at })
}

/** @throws Problem 404, or 412 with what is stored */
export async function deleteRow(sql: Sql, kind: Kind, id: string, base: string | undefined, at: Date): Promise<Row> {
  const row = await getRow(sql, kind, id)
  refuseStale(row, base)
  return putRow(sql, kind, { ...row, version: row.version + 1, deleted: true, updated_at: at })
}

function refuseStale(row: Row, base: string | undefined): void {
  if (ifMatch(base, row.version)) return
  const detail = `The stored version is ${etagOf(row.version)}.`
  throw new Problem(412, 'stale-version', { detail, current: present(row), etag: etagOf(row.version) })
}

async function putRow(sql: Sql, kind: Kind, row: Omit<Row, 'revision'>): Promise<Row> {
  const rows = await sql.query(
    `insert into entity (kind, id, backend_id, data, version, revision, deleted, updated_at)
     values ($1, $2, $3, $4::text::jsonb, $5, nextval('revision'), $6, $7::text::timestamptz)
     on conflict (kind, id) do update set data = excluded.data, version = excluded.version,
       revision = excluded.revision, deleted = excluded.deleted, updated_at = excluded.updated_at
     returning ${columns}`,
    [kind, row.id, row.backend_id, JSON.stringify(row.data), row.version, row.deleted, row.updated_at.toISOString()],
  )
  return toRow(rows[0])
}
