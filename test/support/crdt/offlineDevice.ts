import { soundRows } from '../../../lib/testing/soundRows.ts'
import type { AttemptContext, RemoteChange } from 'rx-outbox'
import type { Subscription } from 'rxjs'
import { type CrdtStrategy, crdtStrategy } from 'rx-outbox/crdt'
import { attemptOf, type Card, memoryStorage } from './device.ts'
import type { Line } from './memoryServer.ts'

interface Task {
  key: string
  operation: 'create' | 'update' | 'delete'
  card: Card
  /** Frozen by the first attempt. */
  mark?: Partial<AttemptContext>
}

/**
 * An app with an outbox as the library keeps it: lanes, joined tasks, marks, progress. A row that comes while a task of
 * its card waits is put aside; the last one is handed out some time after the card has come to rest.
 */
export class OfflineDevice {
  readonly rows = new Map<string, { card: Card; version: string | number | undefined }>()
  readonly #lanes = new Map<string, Task[]>()
  readonly #aside = new Map<string, RemoteChange<Card>>()
  readonly #progress = new Map<string, unknown>()
  readonly line: Line
  readonly #name: string
  #storage = memoryStorage()
  #strategy!: CrdtStrategy<Card>
  #subscription: Subscription | undefined
  #keys = 0
  #hinted = false
  #checkpoint: unknown = {}

  constructor(name: string, line: Line) {
    this.#name = name
    this.line = line
    this.restart()
  }

  /** Everything but the outbox and the app's own store is gone; with `wiped` the copies, too. */
  restart({ wiped = false } = {}): void {
    this.#subscription?.unsubscribe()
    this.#strategy?.close()
    if (wiped) this.#storage = memoryStorage()
    const { connection } = this.line
    this.#strategy = crdtStrategy<Card>({
      collection: 'cards',
      url: '',
      text: ['body'],
      storage: this.#storage,
      connect: () => connection,
    })
    this.#subscription = this.#strategy.changes$.subscribe((change) => this.#take(change))
  }

  #take(change: RemoteChange<Card>): void {
    if ('hint' in change) {
      this.#hinted = true
      return
    }
    if (this.#lanes.get(change.id)?.length) {
      this.#aside.set(change.id, change)
      return
    }
    this.#aside.delete(change.id)
    if ('deleted' in change) this.rows.delete(change.id)
    else this.rows.set(change.id, { card: change.data, version: change.version })
  }

  /** Rows that came while tasks of their cards waited, however old they are by now. */
  takeAside(): void {
    for (const change of this.#aside.values()) this.#take(change)
  }

  save(id: string, change: (before: Card | undefined) => Card): void {
    const known = this.rows.get(id)
    const card = change(known?.card)
    this.rows.set(id, { card, version: known?.version })
    this.#push(id, known ? 'update' : 'create', card)
  }

  remove(id: string): void {
    const known = this.rows.get(id)
    if (!known) return
    this.rows.delete(id)
    this.#push(id, 'delete', { id })
    const last = this.#lanes.get(id)?.at(-1)
    // The version is that of the row which is gone by now.
    if (last) this.#removed.set(last.key, known.version)
  }
  readonly #removed = new Map<string, string | number | undefined>()

  #push(id: string, operation: Task['operation'], card: Card): void {
    const lane = this.#lanes.get(id) ?? []
    this.#lanes.set(id, lane)
    const last = lane.at(-1)
    if (last && !last.mark && operation !== 'create' && last.operation !== 'delete') {
      lane.pop()
      // Never sent, and gone again.
      if (last.operation === 'create' && operation === 'delete') return
      if (last.operation === 'create') operation = 'create'
    }
    this.#keys += 1
    lane.push({ key: `${this.#name} ${this.#keys}`, operation, card: structuredClone(card) })
  }

  /** What it was told it may have missed, and one attempt for the first task of each card. */
  async deliver(): Promise<void> {
    if (this.#hinted) await this.#pull()
    await Promise.all([...this.#lanes].map(([id, lane]) => this.#attempt(id, lane)))
  }

  async #pull(): Promise<void> {
    this.#hinted = false
    try {
      for (let more = true; more;) {
        const request = { checkpoint: this.#checkpoint, limit: 1, owner: '', signal: new AbortController().signal }
        const page = await this.#strategy.pull(request)
        for (const row of soundRows(page)) this.#take(row)
        for (const id of page.deleted) this.#take({ id, deleted: true })
        this.#checkpoint = page.checkpoint
        more = page.more
      }
    } catch {
      this.#hinted = true
    }
  }

  async #attempt(id: string, lane: Task[]): Promise<void> {
    const [task] = lane
    if (!task) return
    const version = task.operation === 'delete' ? this.#removed.get(task.key) : this.rows.get(id)?.version
    task.mark ??= { ...(version !== undefined && { version }), idempotencyKey: task.key }
    const attempt = attemptOf(task.mark, this.#progress)
    const metadata = { syncStatus: 'syncing', retryCount: 0, maxRetries: 3 } as const
    const entity = { id, entityType: 'card', data: structuredClone(task.card), metadata }
    const { persistCreate, persistUpdate, persistDelete } = this.#strategy
    try {
      const receipt = await (task.operation === 'delete'
        ? persistDelete(id, 'card', attempt)
        : (task.operation === 'create' ? persistCreate : persistUpdate)(entity, attempt))
      lane.shift()
      const row = this.rows.get(id)
      if (row && task.operation !== 'delete') row.version = (receipt as { version: string }).version
    } catch {
      // It stays, and is tried again.
    }
  }

  get waiting(): number {
    return Number(this.#hinted) + [...this.#lanes.values()].reduce((sum, lane) => sum + lane.length, 0)
  }

  /** Everything that the server has, as a new device sees it. */
  async pullAll(): Promise<Record<string, Card>> {
    const signal = new AbortController().signal
    const page = await this.#strategy.pull({ checkpoint: {}, limit: Infinity, owner: '', signal })
    return Object.fromEntries(
      soundRows(page)
        .map(({ id, data }) => [id, data])
        .sort(),
    )
  }

  shown(): Record<string, Card> {
    return Object.fromEntries([...this.rows].map(([id, { card }]) => [id, card] as const).sort())
  }

  close(): void {
    this.#subscription?.unsubscribe()
    this.#strategy.close()
  }
}
