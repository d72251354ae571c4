import * as Y from 'yjs'
import type { Database, Sql } from '../database.ts'

/**
 * Documents in the database: what was merged so far, and the updates since. An update is stored before it is
 * acknowledged, so that a device which was told "persisted" loses nothing when the server dies.
 */
export const crdtTables = [
  `create table if not exists crdt_document (
    name text primary key,
    state bytea not null,
    updated_at timestamptz not null
  )`,
  `create table if not exists crdt_update (
    seq bigint generated always as identity primary key,
    name text not null,
    bytes bytea not null
  )`,
  `create index if not exists crdt_update_name on crdt_update (name, seq)`,
]

export async function storeUpdate(sql: Sql, name: string, update: Uint8Array): Promise<void> {
  await sql.query(`insert into crdt_update (name, bytes) values ($1, decode($2, 'base64'))`, [name, toBase64(update)])
}

export async function loadDocument(sql: Sql, name: string): Promise<Y.Doc> {
  const rows = await sql.query(
    `select encode(state, 'base64') as bytes, 0 as seq from crdt_document where name = $1
     union all select encode(bytes, 'base64'), seq from crdt_update where name = $1 order by seq`,
    [name],
  )
  const doc = new Y.Doc()
  for (const row of rows) Y.applyUpdate(doc, fromBase64((row as { bytes: string }).bytes))
  return doc
}

/**
 * Merges the updates of a document into one state. What another server has stored meanwhile is kept: a state is never
 * written over, only added to.
 */
export async function mergeUpdates(database: Database, name: string): Promise<void> {
  await database.transaction(async (sql) => {
    await sql.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [name])
    const rows = await sql.query('select coalesce(max(seq), 0)::text as last from crdt_update where name = $1', [name])
    const { last } = rows[0] as { last: string }
    const state = Y.encodeStateAsUpdate(await loadDocument(sql, name))
    await sql.query(
      `insert into crdt_document (name, state, updated_at) values ($1, decode($2, 'base64'), now())
       on conflict (name) do update set state = excluded.state, updated_at = excluded.updated_at`,
      [name, toBase64(state)],
    )
    await sql.query('delete from crdt_update where name = $1 and seq <= $2::bigint', [name, last])
  })
}

const toBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const fromBase64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))
