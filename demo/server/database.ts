/** What a query can take; JSON goes in as text and is cast in the SQL, so that both databases read it alike. */
export type Param = string | number | boolean | null

/** Rows are checked by whoever asked for them. */
export interface Sql {
  query: (text: string, params?: Param[]) => Promise<unknown[]>
}

export type DatabaseKind = 'pglite' | 'postgres'

/** All that the server needs of a PostgreSQL, be it embedded or a server of its own. */
export interface Database extends Sql {
  readonly kind: DatabaseKind
  /** Commits when `work` resolves, rolls back when it throws. */
  transaction: <T>(work: (sql: Sql) => Promise<T>) => Promise<T>
  close: () => Promise<void>
}
