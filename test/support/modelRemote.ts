import { AuthError, ClientError, NetworkError, PermanentError, RateLimitError, ServerError } from '../../lib/errors.ts'
import type { AttemptContext, PersistableEntity, PersistenceStrategy, PersistReceipt } from '../../lib/types.ts'
import type { VirtualTime } from './virtualTime.ts'

/** What a test writes: `rev` grows with every event, whatever its entity. */
export interface Row {
  id: string
  rev: number
}

/** What becomes of one request. */
export interface Weather {
  /** `lost`: applied, and the answer lost. `late`: applied, and never answered. `hangs`: neither. */
  is: 'fine' | 'lost' | 'late' | 'hangs' | 'down' | 'broken' | 'refused' | 'never' | 'signed out' | 'busy'
  /** Virtual milliseconds until it is answered. */
  takes: number
}

export interface Effect {
  entity: string
  operation: 'create' | 'update' | 'delete'
  taskId: string
  /** Of a delete there is none. */
  rev: number | undefined
}

/** A remote of several entity types that remembers idempotency keys, and notes what must never happen. */
export class ModelRemote {
  readonly rows = new Map<string, { rev: number; backendId: string }>()
  /** What was applied, in order: each key once. */
  readonly effects: Effect[] = []
  readonly wrong: string[] = []
  calls = 0
  mostAtOnce = 0
  /** Who discards a create that is in doubt never learns its id. */
  checksIds = true
  weather: () => Weather = () => ({ is: 'fine', takes: 0 })
  /** Called before anything is applied. */
  onCall: (entity: string, attempt: AttemptContext) => void = () => undefined
  private readonly remembered = new Map<string, { body: string; receipt: PersistReceipt<Row> }>()
  private readonly flying = new Set<string>()
  private readonly time: VirtualTime

  constructor(time: VirtualTime) {
    this.time = time
  }

  strategy(): PersistenceStrategy<Row> {
    const call = (operation: Effect['operation'], entity: string, rev: number | undefined, attempt: AttemptContext) =>
      this.request({ operation, entity, rev, taskId: attempt.taskId }, attempt)
    const stated = (operation: 'create' | 'update') => (entity: PersistableEntity<Row>, attempt: AttemptContext) =>
      call(operation, `${entity.entityType} ${entity.id}`, entity.data.rev, attempt)
    return {
      persistCreate: stated('create'),
      persistUpdate: stated('update'),
      persistDelete: (id, entityType, attempt) => call('delete', `${entityType} ${id}`, undefined, attempt),
    }
  }

  /** Which event of each entity the remote holds. */
  get revs(): Map<string, number> {
    return new Map([...this.rows].map(([entity, { rev }]) => [entity, rev]))
  }

  /** Whoever asked is gone: nothing is in flight any more. */
  forgetCallers(): void {
    this.flying.clear()
  }

  private async request(effect: Effect, attempt: AttemptContext): Promise<PersistReceipt<Row>> {
    const { entity } = effect
    if (this.flying.has(entity)) this.wrong.push(`${entity} is in flight twice`)
    this.flying.add(entity)
    attempt.signal.addEventListener('abort', () => this.flying.delete(entity))
    this.calls++
    this.mostAtOnce = Math.max(this.mostAtOnce, this.flying.size)
    this.onCall(entity, attempt)
    const { is, takes } = this.weather()
    try {
      if (takes > 0) await new Promise<void>((done) => this.time.scheduler.schedule(() => done(), takes))
      if (attempt.signal.aborted) throw new NetworkError('aborted')
      return await this.answer(is, effect, attempt)
    } finally {
      if (!attempt.signal.aborted) this.flying.delete(entity)
    }
  }

  private answer(is: Weather['is'], effect: Effect, attempt: AttemptContext): PersistReceipt<Row> | Promise<never> {
    if (is === 'down') throw new NetworkError('down')
    if (is === 'hangs') return new Promise<never>(() => undefined)
    // A remote that knows the key says what it said before.
    if (!this.remembered.has(attempt.idempotencyKey)) {
      if (is === 'broken') throw new ServerError('broken', { status: 503 })
      if (is === 'refused') throw new ClientError('refused', { status: 422 })
      if (is === 'never') throw new PermanentError('never')
      if (is === 'signed out') throw new AuthError('signed out', { status: 401 })
      if (is === 'busy') throw new RateLimitError('busy', { status: 429, retryAfter: 7_000 })
    }
    const receipt = this.apply(effect, attempt)
    if (is === 'lost') throw new NetworkError('lost')
    return is === 'late' ? new Promise<never>(() => undefined) : receipt
  }

  private apply(effect: Effect, { idempotencyKey: key, taskId, backendId }: AttemptContext): PersistReceipt<Row> {
    const { entity, operation, rev } = effect
    const body = JSON.stringify([entity, operation, rev])
    const before = this.remembered.get(key)
    if (before && before.body !== body) this.wrong.push(`${key} stands for ${before.body} and for ${body}`)
    if (before) return before.receipt
    const row = this.rows.get(entity)
    if (this.checksIds && operation !== 'create' && row && backendId !== row.backendId)
      this.wrong.push(`${operation} of ${entity} says ${backendId} for ${row.backendId}`)
    const receipt: PersistReceipt<Row> = {}
    if (operation === 'delete') this.rows.delete(entity)
    else {
      receipt.backendId = row?.backendId ?? `b-${taskId}`
      this.rows.set(entity, { rev: rev ?? 0, backendId: receipt.backendId })
    }
    this.effects.push(effect)
    this.remembered.set(key, { body, receipt })
    return receipt
  }
}
