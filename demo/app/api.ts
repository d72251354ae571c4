import * as z from 'zod/mini'
import { noteSchema, tagSchema } from './entities.ts'

async function read<T>(path: string, schema: z.ZodMiniType<T>): Promise<T> {
  const response = await fetch(path, { headers: { accept: 'application/json' } })
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return schema.parse(await response.json())
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

/** What the server holds of an entity; `undefined` where it holds none. */
async function readEntity<T>(path: string, id: string, schema: z.ZodMiniType<T>): Promise<T | undefined> {
  const response = await fetch(`${path}/${encodeURIComponent(id)}`, { headers: { accept: 'application/json' } })
  if (response.status === 404) return undefined
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return schema.parse(await response.json())
}

export const readNote = (id: string) => readEntity('/api/notes', id, noteSchema)
export const readTag = (id: string) => readEntity('/api/tags', id, tagSchema)
