import { from, lastValueFrom, type ObservableInput } from 'rxjs'
import { isPersistenceError, type PersistenceError } from '../errors.ts'
import type {
  AttemptContext,
  ErrorCategory,
  Operation,
  PersistableEntity,
  PersistenceStrategy,
  PersistReceipt,
} from '../types.ts'
import type { PullPage } from '../remote.ts'
import type { RemoteFailure, StrategyFeature, StrategyHarness, StrategyRemote } from './strategyHarness.ts'

/** What holds for every strategy that has what it needs. */
export interface StrategyRule {
  needs?: readonly (RemoteFailure | StrategyFeature)[]
  says: string
  check: <T>(trial: StrategyTrial<T>) => Promise<void>
}

/** One write of a check: the `n`th state of an entity, and what the attempt knows. */
export interface Write extends Partial<AttemptContext> {
  id?: string
  n?: number
}

/** A strategy and its remote, as the checks of `strategyContract` speak of them. */
export class StrategyTrial<T> {
  strategy: PersistenceStrategy<T>
  private readonly harness: StrategyHarness<T>
  private readonly remote: StrategyRemote<T>
  /** What the strategy saved, by key. */
  private readonly progress = new Map<string, unknown>()

  constructor(harness: StrategyHarness<T>, remote: StrategyRemote<T>) {
    this.harness = harness
    this.remote = remote
    this.strategy = remote.connect()
  }

  /** Another run of the app: nothing that a strategy had in memory is left. */
  restart(): void {
    this.strategy = this.remote.connect()
  }

  get features(): readonly StrategyFeature[] {
    return this.harness.features
  }

  state(id: string, n: number): T {
    return this.harness.state(id, n)
  }

  /** By default the key is that of this write of this entity: the same write again has the same one. */
  write(operation: Operation, { id = 'contract-1', n = 0, ...parts }: Write = {}): Promise<PersistReceipt<T>> {
    const key = parts.idempotencyKey ?? `${operation}-${id}-${n}`
    const attempt = attemptWith({
      idempotencyKey: key,
      progress: this.progress.get(key),
      saveProgress: (value) => Promise.resolve(void this.progress.set(key, structuredClone(value))),
      ...parts,
    })
    if (operation === 'create') return settled(this.strategy.persistCreate(this.entity(id, n), attempt))
    if (operation === 'update') return settled(this.strategy.persistUpdate(this.entity(id, n), attempt))
    return settled(this.strategy.persistDelete(id, 'contract', attempt))
  }

  /** Whether the create was applied, as far as the strategy can tell. */
  async reconcile(parts: Partial<AttemptContext>) {
    const attempt = attemptWith({ idempotencyKey: 'create-contract-1-0', ...parts })
    const found = this.strategy.reconcile?.(this.entity('contract-1', 0), attempt)
    return found ? lastValueFrom(from(found)) : 'unknown'
  }

  async pull(checkpoint: unknown, limit: number, signal = new AbortController().signal): Promise<PullPage<T>> {
    const page = this.strategy.pull?.({ checkpoint, limit, owner: '', signal })
    if (!page) throw new Error('The harness names `pull`, and the strategy has none')
    // It is kept in a journal between two pulls.
    return structuredClone(await lastValueFrom(from(page)))
  }

  /** Every page from a checkpoint on. */
  async pullAll(checkpoint: unknown, limit: number): Promise<PullPage<T>[]> {
    const pages: PullPage<T>[] = []
    for (let page; !page || page.more; pages.push(page)) {
      page = await this.pull(page ? page.checkpoint : checkpoint, limit)
      if (pages.length > 1_000) throw new Error('After 1,000 pages there are more')
    }
    return pages
  }

  failNext(failure: RemoteFailure): void | Promise<void> {
    return needed(this.remote.failNext, 'failNext')(failure)
  }

  /** The remote says nothing to what is begun here, which is aborted once it is there. */
  async abortSilent(begin: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    await this.failNext('silent')
    const controller = new AbortController()
    const arrived = needed(this.remote.arrived, 'arrived')()
    const ended = rejection(begin(controller.signal))
    await Promise.race([arrived, ended.then(() => Promise.reject(new Error('It ended before it was sent')))])
    controller.abort(new Error('enough'))
    await ended
  }

  /** Somebody else's write; without `n` a delete. */
  otherWrites(id: string, n?: number): void | Promise<void> {
    return needed(this.remote.write, 'write')(id, n === undefined ? undefined : this.state(id, n))
  }

  async listening(): Promise<void> {
    await this.remote.listening?.()
  }

  /** Where the remote keeps no list of what had an effect, only its rows can be looked at. */
  async hasApplied(...expected: Operation[]): Promise<void> {
    const found = (await this.remote.applied?.()) ?? expected
    if (found.join() !== expected.join()) throw new Error(`Applied [${found.join()}] instead of [${expected.join()}]`)
  }

  /** The remote holds these entities, each in that state, and no others. */
  async holds(expected: Record<string, number>): Promise<void> {
    const rows = await this.remote.rows()
    sameIds(rows.keys(), Object.keys(expected), 'The remote holds')
    for (const [id, n] of Object.entries(expected)) this.isState(rows.get(id), id, n)
  }

  /** Whether what was found has every field of that state; a remote may add fields of its own. */
  isState(found: unknown, id: string, n: number): void {
    const expected = this.state(id, n)
    if (!covers(found, expected))
      throw new Error(`${id} is ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`)
  }

  rejection = rejection

  async isRefused(attempt: Promise<unknown>, category: ErrorCategory): Promise<PersistenceError> {
    const cause = await rejection(attempt)
    if (!isPersistenceError(cause)) throw new Error('What was thrown is no PersistenceError', { cause })
    if (cause.category !== category) throw new Error(`The category is ${cause.category}, not ${category}`, { cause })
    return cause
  }

  private entity(id: string, n: number): PersistableEntity<T> {
    const metadata = { syncStatus: 'syncing', retryCount: 0, maxRetries: 3 } as const
    return { id, entityType: 'contract', data: this.state(id, n), metadata }
  }
}

export function sameIds(found: Iterable<string>, expected: readonly string[], says: string): void {
  const [got, wanted] = [[...found].sort().join(), [...expected].sort().join()]
  if (got !== wanted) throw new Error(`${says} [${got}] instead of [${wanted}]`)
}

function rejection(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => Promise.reject(new Error('There was an answer instead of an error')),
    (error: unknown) => error,
  )
}

/** The last value at completion, as the outbox takes it. */
async function settled<T>(given: ObservableInput<PersistReceipt<T> | void>): Promise<PersistReceipt<T>> {
  return (await lastValueFrom(from(given), { defaultValue: undefined })) ?? {}
}

function needed<F>(member: F | undefined, name: string): F {
  if (member) return member
  throw new Error(`The harness promises what needs \`${name}\` of its remote, and there is none`)
}

function covers(found: unknown, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null) return Object.is(found, expected)
  if (typeof found !== 'object' || found === null) return false
  return Object.entries(expected).every(([field, value]) => covers(Reflect.get(found, field), value))
}

function attemptWith(parts: Partial<AttemptContext>): AttemptContext {
  return {
    taskId: 'task-1',
    idempotencyKey: 'key-1',
    attempt: 1,
    owner: 'contract',
    schemaVersion: 1,
    signal: new AbortController().signal,
    backendIdOf: () => undefined,
    progress: undefined,
    saveProgress: () => Promise.resolve(),
    ...parts,
  }
}
