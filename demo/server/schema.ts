import { crdtTables } from './crdt/documents.ts'
import type { Database } from './database.ts'

/**
 * `entity` keeps deleted rows, so that others hear of it; `revision` is drawn under the write lock, so that whoever
 * has read up to a revision has missed none below it. `applied` is a journal for tests and the side panel.
 */
const statements = [
  `create sequence if not exists revision`,
  `create table if not exists entity (
    kind text not null,
    id text not null,
    backend_id text not null unique,
    data jsonb not null,
    version int not null,
    revision bigint not null,
    deleted bool not null,
    updated_at timestamptz not null,
    primary key (kind, id)
  )`,
  `create index if not exists entity_revision on entity (kind, revision)`,
  `create table if not exists idempotency (
    key text primary key,
    fingerprint text not null,
    answer jsonb not null,
    at timestamptz not null
  )`,
  `create table if not exists applied (
    seq bigint generated always as identity primary key,
    key text,
    kind text not null,
    entity_id text not null,
    backend_id text not null,
    operation text not null,
    version int not null,
    body_hash text not null,
    at timestamptz not null
  )`,
  ...crdtTables,
]

/** Any number that nobody else uses as an advisory lock here. */
const writeLock = 4_217

/** Writes of all connections one after the other, until the end of the transaction. */
export const lockWrites = `select pg_advisory_xact_lock(${writeLock})`

export async function createSchema(database: Database): Promise<void> {
  await database.transaction(async (sql) => {
    await sql.query(lockWrites)
    for (const statement of statements) await sql.query(statement)
  })
}

/** Empties the tables. The revision goes on, so that no client's checkpoint lies ahead of it. */
export async function emptyTables(database: Database): Promise<void> {
  await database.transaction(async (sql) => {
    await sql.query(lockWrites)
    await sql.query('truncate entity, idempotency, applied, crdt_document, crdt_update')
  })
}
