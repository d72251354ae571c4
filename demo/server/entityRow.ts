import { z } from 'zod'

export type Kind = 'note' | 'tag'

const shape = z.object({
  id: z.string(),
  backend_id: z.string(),
  data: z.record(z.string(), z.unknown()),
  version: z.number(),
  revision: z.string(),
  deleted: z.boolean(),
  updated_at: z.date(),
})

/** A row of the table `entity`; `revision` is text, because it may grow beyond what a number holds. */
export type Row = z.output<typeof shape>

export const columns = 'id, backend_id, data, version, revision::text as revision, deleted, updated_at'

export function toRow(row: unknown): Row {
  return shape.parse(row)
}

/** An entity as clients get it: what they sent, and the server's id. */
export function present(row: Row): Record<string, unknown> {
  return { ...row.data, _id: row.backend_id }
}
