import { ClientError, NetworkError, PermanentError, type AttemptContext, type PersistenceStrategy } from 'rx-outbox'
import { from, lastValueFrom } from 'rxjs'

export interface Item {
  id: string
  text: string
}

/** What a leg does with one call. `lost`: applied, and the answer lost. `silent`: neither applied nor answered. */
export type Mood = 'fine' | 'lost' | 'down' | 'refused' | 'never' | 'silent'

/** A remote that remembers keys, and does with each call what its mood says. */
export class LegRemote {
  /** Effects by key. */
  readonly effects: string[] = []
  readonly attempts: AttemptContext[] = []
  readonly known = new Set<string>()
  mood: () => Mood = () => 'fine'
  /** Called when a leg has said yes. */
  confirmed: () => void = () => undefined

  strategy(parts: Partial<PersistenceStrategy<Item>> = {}): PersistenceStrategy<Item> {
    const call = async (attempt: AttemptContext) => {
      this.attempts.push(attempt)
      const mood = this.mood()
      await Promise.resolve()
      attempt.signal.throwIfAborted()
      if (mood === 'down') throw new NetworkError('down')
      if (mood === 'refused') throw new ClientError('refused', { status: 422 })
      if (mood === 'never') throw new PermanentError('never')
      if (mood === 'silent') await new Promise<never>(() => undefined)
      if (!this.known.has(attempt.idempotencyKey)) this.effects.push(attempt.idempotencyKey)
      this.known.add(attempt.idempotencyKey)
      if (mood === 'lost') throw new NetworkError('lost')
      this.confirmed()
      return { backendId: `b-${attempt.idempotencyKey}`, version: this.effects.length, syncedAt: 1 }
    }
    return {
      persistCreate: (_entity, attempt) => call(attempt),
      persistUpdate: (_entity, attempt) => call(attempt),
      persistDelete: (_id, _type, attempt) => call(attempt),
      ...parts,
    }
  }
}

/** A task whose progress outlives its attempts, and the app that makes them. */
export class Task {
  progress: unknown
  saves = 0
  attempts = 0
  private life = new AbortController()

  /** The app dies: nothing it does from now on counts. */
  crash(): void {
    this.life.abort()
  }

  context(parts: Partial<AttemptContext> = {}): AttemptContext {
    this.life = new AbortController()
    const { signal: dead } = this.life
    return {
      taskId: 'task',
      idempotencyKey: 'key',
      attempt: ++this.attempts,
      owner: '',
      schemaVersion: 1,
      signal: new AbortController().signal,
      backendIdOf: () => undefined,
      progress: structuredClone(this.progress),
      saveProgress: async (value) => {
        if (dead.aborted) return new Promise<never>(() => undefined)
        this.saves++
        this.progress = structuredClone(value)
        await Promise.resolve()
        if (dead.aborted) return new Promise<never>(() => undefined)
      },
      ...parts,
    }
  }
}

export const item: Item = { id: 'n1', text: 'hello' }

export async function create(strategy: PersistenceStrategy<Item>, attempt: AttemptContext) {
  const entity = {
    id: 'n1',
    entityType: 'item',
    data: { ...item },
    metadata: { syncStatus: 'syncing', retryCount: 0, maxRetries: 3 } as const,
  }
  return (await lastValueFrom(from(strategy.persistCreate(entity, attempt)), { defaultValue: undefined })) ?? {}
}

/** What an attempt threw. */
export async function thrown(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    (receipt) => Promise.reject(new Error(`There was a receipt: ${JSON.stringify(receipt)}`)),
    (error: unknown) => error,
  )
}
