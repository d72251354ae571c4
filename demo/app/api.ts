import * as z from 'zod/mini'
import { online$ } from './connection.ts'

/** Nothing was asked: the app is offline. */
export class OfflineError extends Error {
  override name = 'OfflineError'
}

async function read<T>(path: string, schema: z.ZodMiniType<T>): Promise<T> {
  const response = await fetch(path, { headers: { accept: 'application/json' } })
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return schema.parse(await response.json())
}

const rowSchema = z.object({ id: z.string(), version: z.number(), data: z.unknown() })

export interface Row<T> {
  id: string
  version: number
  data: T
}

/** All entities alive on the server. Writes go through the outbox; this is the only request the stores make. */
export async function listEntities<T>(path: string, schema: z.ZodMiniType<T>): Promise<Row<T>[]> {
  if (!online$.value) throw new OfflineError('offline')
  const page = await read(path, z.object({ changed: z.array(rowSchema) }))
  // A row of another shape is left out, so that one odd row does not hide all others.
  return page.changed.flatMap((row) => {
    const { data, success } = schema.safeParse(row.data)
    return success ? [{ ...row, data }] : []
  })
}

const faultsSchema = z.object({
  latencyMs: z.number(),
  errorRate: z.number(),
  loseAnswers: z.number(),
  unauthorized: z.boolean(),
  rateLimited: z.boolean(),
  retryAfterSeconds: z.number(),
  captivePortal: z.boolean(),
})

/** What the server does wrong on purpose; shares are 0 to 1. */
export type Faults = z.infer<typeof faultsSchema>

export const noFaults: Faults = {
  latencyMs: 0,
  errorRate: 0,
  loseAnswers: 0,
  unauthorized: false,
  rateLimited: false,
  retryAfterSeconds: 5,
  captivePortal: false,
}

export const readFaults = () => read('/api/_faults', faultsSchema)

export async function writeFaults(faults: Faults): Promise<void> {
  const response = await fetch('/api/_faults', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(faults),
  })
  if (!response.ok) throw new Error(`The switch was not set: the server answered ${response.status}.`)
}

const healthSchema = z.object({
  ready: z.boolean(),
  progress: z.object({ step: z.string(), done: z.number() }),
})
export type Health = z.infer<typeof healthSchema>

export const readHealth = () => read('/api/_health', healthSchema)

export async function resetServer(): Promise<void> {
  const response = await fetch('/api/_reset', { method: 'POST' })
  if (!response.ok) throw new Error(`The server was not reset: it answered ${response.status}.`)
}
