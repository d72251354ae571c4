import { inject } from 'vitest'
import type { FaultSettings } from '../../demo/server/faults.ts'

/** A write that the server applied. */
export interface Applied {
  seq: number
  key: string | null
  kind: 'note' | 'tag'
  entityId: string
  operation: 'create' | 'update' | 'delete'
  version: number
}

type Row = Record<string, unknown>

const url = inject('demoServer')

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(url + path, { ...init, headers: { 'content-type': 'application/json' } })
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return (response.status === 204 ? undefined : await response.json()) as T
}

/** The demo's server, over real HTTP and a real database. It is one for all tests: each begins with `reset`. */
export const server = {
  url,
  /** Each write that was applied since the last `reset`, in order. */
  applied: async () => (await ask<{ applied: Applied[] }>('/api/_applied')).applied,
  /** What the rows hold that are alive, by the client's id. */
  async rows(collection: 'notes' | 'tags'): Promise<Record<string, Row>> {
    const { changed } = await ask<{ changed: { id: string; data: Row }[] }>(`/api/${collection}`)
    return Object.fromEntries(changed.map(({ id, data }) => [id, data]))
  },
  /** What goes wrong now. */
  faults: () => ask<FaultSettings>('/api/_faults'),
  /** From now on nothing else goes wrong than this. */
  async setFaults(settings: Partial<FaultSettings>): Promise<void> {
    await ask('/api/_faults', { method: 'PUT', body: JSON.stringify(settings) })
  },
  /** As on the first day: no rows, no faults. */
  async reset(): Promise<void> {
    await server.setFaults({})
    await ask('/api/_reset', { method: 'POST' })
  },
}
