import { soundRows } from '../../../lib/testing/soundRows.ts'
import { firstValueFrom, filter, type Observable, ReplaySubject, type Subscription } from 'rxjs'
import type { AttemptContext, PullPage, RemoteChange } from 'rx-outbox'
import { type CrdtOptions, type CrdtStrategy, crdtStrategy, type DocumentStorage } from 'rx-outbox/crdt'

export interface Card {
  id: string
  title?: string
  body?: string
  done?: boolean
}

export function memoryStorage(): DocumentStorage & { items: Map<string, Uint8Array> } {
  const items = new Map<string, Uint8Array>()
  return {
    items,
    getItem: (key) => Promise.resolve(items.get(key) ?? null),
    setItem: (key, value) => Promise.resolve(items.set(key, value.slice())),
  }
}

let tasks = 0

/** What the outbox hands to a strategy; `progress` of a key is kept as the journal keeps it. */
export function attemptOf(parts: Partial<AttemptContext> = {}, kept = new Map<string, unknown>()): AttemptContext {
  tasks += 1
  const { idempotencyKey = `key ${tasks}` } = parts
  return {
    taskId: `task ${tasks}`,
    idempotencyKey,
    attempt: 1,
    owner: '',
    schemaVersion: 1,
    signal: AbortSignal.timeout(20_000),
    backendIdOf: () => undefined,
    progress: kept.get(idempotencyKey),
    saveProgress: (value) => {
      kept.set(idempotencyKey, structuredClone(value))
      return Promise.resolve()
    },
    ...parts,
  }
}

/** A device with an app that takes over whatever it is told, and knows of each entity the version that it has. */
export class Device {
  readonly rows = new Map<string, Card>()
  readonly versions = new Map<string, string | number | undefined>()
  readonly strategy: CrdtStrategy<Card>
  readonly changes$ = new ReplaySubject<RemoteChange<Card>>()
  #subscription: Subscription | undefined
  #checkpoint: unknown

  constructor(options: Partial<CrdtOptions<Card>>) {
    const url = 'ws://127.0.0.1:1/crdt'
    this.strategy = crdtStrategy<Card>({
      collection: 'cards',
      url,
      text: ['body'],
      storage: memoryStorage(),
      ...options,
    })
  }

  /** From now on it hears of what others do. */
  listen(): this {
    this.#subscription = this.strategy.changes$.subscribe((change) => {
      this.take(change)
      this.changes$.next(change)
    })
    return this
  }

  take(change: RemoteChange<Card>): void {
    if ('hint' in change) return
    if ('deleted' in change) {
      this.rows.delete(change.id)
      this.versions.delete(change.id)
    } else {
      this.rows.set(change.id, change.data)
      this.versions.set(change.id, change.version)
    }
  }

  /** What `changes$` tells next that fits, or told already. */
  hears(fits: (change: RemoteChange<Card>) => boolean): Promise<RemoteChange<Card>> {
    return firstValueFrom((this.changes$ as Observable<RemoteChange<Card>>).pipe(filter(fits)))
  }

  /** The app changes a card, and the strategy delivers it. */
  async save(card: Card, parts: Partial<AttemptContext> = {}): Promise<void> {
    const isNew = !this.rows.has(card.id)
    this.rows.set(card.id, card)
    await this.send(card, isNew, this.attempt(card.id, parts))
  }

  attempt(id: string, parts: Partial<AttemptContext> = {}): AttemptContext {
    const version = this.versions.get(id)
    return attemptOf({ ...(version !== undefined && { version }), ...parts })
  }

  async send(card: Card, isNew: boolean, attempt: AttemptContext): Promise<void> {
    const metadata = { syncStatus: 'syncing', retryCount: 0, maxRetries: 3 } as const
    const entity = { id: card.id, entityType: 'card', data: structuredClone(card), metadata }
    const { persistCreate, persistUpdate } = this.strategy
    const receipt = await (isNew ? persistCreate : persistUpdate)(entity, attempt)
    this.versions.set(card.id, (receipt as { version: string }).version)
  }

  async remove(id: string): Promise<void> {
    this.rows.delete(id)
    await this.strategy.persistDelete(id, 'card', this.attempt(id))
    this.versions.delete(id)
  }

  /** Everything since the last time. */
  async pull(limit = 100): Promise<void> {
    for (let more = true; more;) {
      const page: PullPage<Card> = await this.strategy.pull({
        checkpoint: this.#checkpoint,
        limit,
        owner: '',
        signal: AbortSignal.timeout(20_000),
      })
      for (const row of soundRows(page)) this.take(row)
      for (const id of page.deleted) this.take({ id, deleted: true })
      this.#checkpoint = page.checkpoint
      more = page.more
    }
  }

  close(): void {
    this.#subscription?.unsubscribe()
    this.strategy.close()
  }
}
