import type { Database } from './database.ts'

/** A PostgreSQL server, by its connection string. */
export async function postgresDatabase(url: string): Promise<Database> {
  const { default: postgres } = await import('postgres')
  const client = postgres(url, { onnotice: () => {} })
  return {
    kind: 'postgres',
    query: (text, params) => client.unsafe(text, params),
    transaction: async (work) => {
      const box = await client.begin(async (tx) => {
        // Boxed: `begin` awaits an array that it is given, and types it so.
        return { result: await work({ query: (text, params) => tx.unsafe(text, params) }) }
      })
      return box.result
    },
    close: () => client.end({ timeout: 5 }),
  }
}
