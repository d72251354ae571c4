import { soundRows } from '../../../lib/testing/soundRows.ts'
import { randomUUID } from 'node:crypto'
import type { AttemptContext, Operation, PersistReceipt, RemoteChange } from 'rx-outbox'
import { type P2pOptions, p2pStrategy, type P2pStrategy, type PeerTrouble } from 'rx-outbox/p2p'
import { firstValueFrom, from, lastValueFrom, type Subscription } from 'rxjs'
import { mapStorage, type MapStorage } from './mapStorage.ts'
import { soon } from './soon.ts'
import type { PeerNetwork } from './peerNetwork.ts'

export interface Note {
  id: string
  title?: string
  body?: string
  done?: boolean
}

export interface Device {
  name: string
  strategy: P2pStrategy<Note>
  storage: MapStorage
  /** What peers brought, as it came. */
  changes: RemoteChange<Note>[]
  trouble: PeerTrouble[]
  /** One attempt, as the outbox makes it; its progress is kept by `task`. */
  write: (operation: Operation, note: Note, parts?: Partial<AttemptContext>) => Promise<PersistReceipt<Note>>
  /** All that is stored here. */
  notes: () => Promise<Record<string, Note>>
  /** Other devices in the room, now. */
  devices: () => number
  leave: () => void
}

type Options = Partial<Extract<P2pOptions<Note>, { transport: unknown }>>

/** A device in the room of `network`, with the storage given or one of its own. */
export function deviceIn(network: PeerNetwork, name: string, options: Options = {}): Device {
  const storage = (options.storage as MapStorage | undefined) ?? mapStorage()
  const strategy = p2pStrategy<Note>({ room: 'notes', transport: network.transport(name), ...options, storage })
  const changes: RemoteChange<Note>[] = []
  const trouble: PeerTrouble[] = []
  let devices = 0
  const listening: Subscription[] = [
    strategy.trouble$.subscribe((one) => trouble.push(one)),
    strategy.changes$.subscribe((change) => changes.push(change)),
    strategy.devices$.subscribe((count) => {
      devices = count
    }),
  ]
  return {
    name,
    strategy,
    storage,
    changes,
    trouble,
    async write(operation, note, parts = {}) {
      const attempt = attemptWith(parts)
      const entity = {
        id: note.id,
        entityType: 'note',
        data: structuredClone(note),
        metadata: { syncStatus: 'syncing' as const, retryCount: 0, maxRetries: 3 },
      }
      const given =
        operation === 'delete'
          ? strategy.persistDelete(note.id, 'note', attempt)
          : strategy[operation === 'create' ? 'persistCreate' : 'persistUpdate'](entity, attempt)
      return (await lastValueFrom(from(given))) ?? {}
    },
    async notes() {
      const { signal } = new AbortController()
      const page = await firstValueFrom(
        from(strategy.pull({ checkpoint: undefined, limit: 10_000, owner: '', signal })),
      )
      return Object.fromEntries(soundRows(page).map(({ id, data }) => [id, data]))
    },
    devices: () => devices,
    leave: () => listening.forEach((one) => one.unsubscribe()),
  }
}

export function attemptWith(parts: Partial<AttemptContext> = {}): AttemptContext {
  const attempt: AttemptContext = {
    taskId: 'task',
    idempotencyKey: randomUUID(),
    attempt: 1,
    owner: '',
    schemaVersion: 1,
    signal: new AbortController().signal,
    backendIdOf: () => undefined,
    progress: undefined,
    saveProgress: async (value) => {
      attempt.progress = structuredClone(value)
    },
    ...parts,
  }
  return attempt
}

/** Resolves when all devices know of each other. */
export async function allTogether(...devices: Device[]): Promise<void> {
  await soon(() => {
    if (devices.some((device) => device.devices() !== devices.length - 1)) throw new Error('Somebody is missing')
  })
}
