import {
  AuthError,
  ClientError,
  ConflictError,
  NetworkError,
  type AttemptContext,
  type Operation,
  type PersistenceError,
  type PersistenceStrategy,
  type PersistReceipt,
  type PullPage,
  type PullRequest,
  RateLimitError,
  type RemoteChange,
  ServerError,
} from 'rx-outbox'
import type { RemoteFailure, StrategyHarness, StrategyRemote } from 'rx-outbox/testing'
import { firstValueFrom, Subject } from 'rxjs'

export interface Row {
  id: string
  text: string
}

const refusals: Partial<Record<RemoteFailure, () => PersistenceError>> = {
  unreachable: () => new NetworkError('unreachable'),
  failing: () => new ServerError('failing', { status: 503 }),
  refusing: () => new ClientError('refusing', { status: 422 }),
  unauthorized: () => new AuthError('unauthorized', { status: 401 }),
  'rate-limited': () => new RateLimitError('busy', { status: 429, retryAfter: 1_000 }),
}

/** A remote in memory that remembers keys, checks versions, keeps tombstones and tells of changes. */
export class MemoryRemote implements StrategyRemote<Row> {
  private readonly stored = new Map<string, { data: Row | undefined; version: number; revision: number }>()
  private readonly effects: Operation[] = []
  private readonly answers = new Map<string, PersistReceipt<Row>>()
  private readonly changes$ = new Subject<RemoteChange<Row>>()
  private failure: RemoteFailure | undefined
  private revision = 0
  private readonly arrived$ = new Subject<void>()

  connect = (): PersistenceStrategy<Row> => ({
    persistCreate: ({ id, data }, attempt) => this.take('create', id, data, attempt),
    persistUpdate: ({ id, data }, attempt) => this.take('update', id, data, attempt),
    persistDelete: (id, _entityType, attempt) => this.take('delete', id, undefined, attempt),
    pull: (request) => this.request(request.signal, () => this.page(request)),
    changes$: this.changes$.asObservable(),
  })

  rows = (): Map<string, Row> =>
    new Map([...this.stored].flatMap(([id, { data }]) => (data ? [[id, data] as const] : [])))

  applied = (): Operation[] => this.effects

  failNext = (failure: RemoteFailure): void => {
    this.failure = failure
  }

  arrived = (): Promise<void> => firstValueFrom(this.arrived$)

  write = (id: string, data: Row | undefined): void => this.put(id, data)

  private take(operation: Operation, id: string, data: Row | undefined, attempt: AttemptContext) {
    return this.request(attempt.signal, () => {
      const known = this.answers.get(attempt.idempotencyKey)
      if (known) return known
      const now = this.stored.get(id)
      if (attempt.version !== undefined && attempt.version !== now?.version)
        throw new ConflictError('stale', { status: 412, remote: now?.data ?? null })
      this.put(id, data)
      this.effects.push(operation)
      const receipt: PersistReceipt<Row> = data
        ? { backendId: `b-${id}`, version: this.stored.get(id)?.version ?? 0 }
        : {}
      this.answers.set(attempt.idempotencyKey, receipt)
      return receipt
    })
  }

  private put(id: string, data: Row | undefined): void {
    const version = (this.stored.get(id)?.version ?? 0) + 1
    this.stored.set(id, { data: data && { ...data }, version, revision: ++this.revision })
    this.changes$.next(data ? { id, data, version } : { id, deleted: true })
  }

  private page({ checkpoint, limit }: PullRequest): PullPage<Row> {
    const since = typeof checkpoint === 'string' ? Number(checkpoint.slice(1)) : 0
    const later = [...this.stored].filter(([, { revision }]) => revision > since)
    later.sort(([, a], [, b]) => a.revision - b.revision)
    const taken = later.slice(0, limit)
    return {
      changed: taken.flatMap(([id, { data, version }]) => (data ? [{ id, data: { ...data }, version }] : [])),
      deleted: taken.flatMap(([id, { data }]) => (data ? [] : [id])),
      checkpoint: `r${taken.at(-1)?.[1].revision ?? since}`,
      more: later.length > taken.length,
    }
  }

  private async request<R>(signal: AbortSignal, answer: () => R): Promise<R> {
    signal.throwIfAborted()
    this.arrived$.next()
    const failing = this.failure
    this.failure = undefined
    // On the way.
    await Promise.resolve()
    signal.throwIfAborted()
    const refuse = failing && refusals[failing]
    if (refuse) throw refuse()
    if (failing === 'silent') await new Promise((_, reject) => signal.addEventListener('abort', reject))
    const answered = answer()
    await Promise.resolve()
    if (failing === 'answer-lost') throw new NetworkError('The answer was lost')
    signal.throwIfAborted()
    return answered
  }
}

export const failures = [
  'unreachable',
  'silent',
  'answer-lost',
  'failing',
  'refusing',
  'unauthorized',
  'rate-limited',
] as const satisfies RemoteFailure[]

export const memoryHarness: StrategyHarness<Row> = {
  state: (id, n) => ({ id, text: `state ${n}` }),
  failures,
  features: ['versions', 'pull', 'changes'],
  open: () => new MemoryRemote(),
}
