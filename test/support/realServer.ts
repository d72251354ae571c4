import { type DemoServer, startDemoServer } from '../../demo/server/startDemoServer.ts'
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

export interface RealServer {
  url: string
  /** Each write that was applied since the last `reset`, in order. */
  applied: () => Promise<Applied[]>
  /** What the rows hold that are alive, by the client's id. */
  rows: (collection: 'notes' | 'tags') => Promise<Record<string, Record<string, unknown>>>
  /** From now on nothing else goes wrong than this. */
  faults: (settings: Partial<FaultSettings>) => Promise<void>
  /** As on the first day: no rows, no faults. */
  reset: () => Promise<void>
  close: DemoServer['close']
}

/** The demo's server over a database in memory, serving the app in `staticDir`. */
export async function startRealServer(staticDir: string): Promise<RealServer> {
  const { url, close } = await startDemoServer({ port: 0, dataDir: 'memory://', staticDir })

  async function ask<T>(path: string, init?: RequestInit): Promise<T> {
    const response = await fetch(url + path, { ...init, headers: { 'content-type': 'application/json' } })
    if (!response.ok) throw new Error(`${path} answered ${response.status}`)
    return (response.status === 204 ? undefined : await response.json()) as T
  }

  const faults = async (settings: Partial<FaultSettings>) => {
    await ask('/api/_faults', { method: 'PUT', body: JSON.stringify(settings) })
  }
  return {
    url,
    close,
    faults,
    applied: async () => (await ask<{ applied: Applied[] }>('/api/_applied')).applied,
    async rows(collection) {
      const path = `/api/${collection}`
      const { changed } = await ask<{ changed: { id: string; data: Record<string, unknown> }[] }>(path)
      return Object.fromEntries(changed.map(({ id, data }) => [id, data]))
    },
    async reset() {
      await faults({})
      await ask('/api/_reset', { method: 'POST' })
    },
  }
}
