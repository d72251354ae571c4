import {
  AuthError,
  ClientError,
  ConflictError,
  NetworkError,
  PermanentError,
  PersistenceError,
  RateLimitError,
  ServerError,
  TimeoutError,
} from '../../../lib/errors.ts'
import type { AttemptContext, PersistenceStrategy, PersistReceipt, Reconciliation } from '../../../lib/types.ts'
import type { Body } from '../history.ts'
import type { Answer, Operation, Weather } from '../script.ts'
import type { Life } from './life.ts'
import type { World } from './world.ts'

export interface Row {
  id: string
  rev: number
  /** Hostile content: it must stay what it is. */
  note?: string
}

interface Request extends Body {
  number: number
  life: Life
  task: string
  key: string
  owner: string
  backendId: string | undefined
}

interface Remembered {
  body: string
  /** Undefined while the first request of the key is worked on. */
  receipt: PersistReceipt<Row> | undefined
  at: number
}

const fine: Weather = { is: 'fine', takes: [0, 0, 0] }
/** What the key window may be off by, ms: a request was under way that long at most. */
const slack = 30_000
const longAgo = (request: Request) => `400 401 409 500: request ${request.number} of 8401`

/** The backend: rows with versions, and the idempotency keys that it has seen, for a while. */
export class Server {
  readonly rows = new Map<string, { rev: number; version: number; backendId: string }>()
  private readonly world: World
  private readonly keys = new Map<string, Remembered>()
  private readonly applied = new Set<string>()
  /** Until when requests of a key are under way (ms of true time). */
  private readonly landing = new Map<string, number>()
  private requests = 0
  private versions = 0

  constructor(world: World) {
    this.world = world
  }

  strategy(life: Life): PersistenceStrategy<Row> {
    const { keyWindow, reconcile } = this.world.script.config
    const call = (operation: Operation, entity: string, rev: number, context: AttemptContext) =>
      this.send(this.requestOf(life, { operation, entity, rev }, context), context.signal)
    return {
      persistCreate: ({ entityType, id, data }, context) => call('create', `${entityType} ${id}`, data.rev, context),
      persistUpdate: ({ entityType, id, data }, context) => call('update', `${entityType} ${id}`, data.rev, context),
      persistDelete: (id, entityType, context) => call('delete', `${entityType} ${id}`, 0, context),
      keyWindow,
      ...(reconcile && {
        reconcile: ({ entityType, id, data }, context) => this.reconcile(life, `${entityType} ${id}`, data, context),
      }),
    }
  }

  private requestOf(
    life: Life,
    body: Body,
    { taskId: task, idempotencyKey: key, owner, backendId }: AttemptContext,
  ): Request {
    return { number: this.requests++, life, task, key, owner, backendId, ...body }
  }

  private send(request: Request, signal: AbortSignal): Promise<PersistReceipt<Row>> {
    const { world } = this
    const { life, number, task, key, owner, entity, operation, rev } = request
    const weather = (world.isCalm ? undefined : world.script.weather[number]) ?? fine
    const [arrive, work, answer] = weather.takes
    this.landing.set(key, Math.max(this.landing.get(key) ?? 0, world.loop.now + arrive + work))
    return new Promise((resolve, reject) => {
      if (!life.step()) return
      world.record({ is: 'send', life: life.id, request: number, task, key, owner, entity, operation, rev })
      signal.addEventListener(
        'abort',
        () => life.isAlive && world.record({ is: 'aborted', life: life.id, request: number }),
      )
      if (weather.is !== 'fine') world.hit(`answer ${weather.is}`)
      if (answer > 1_000) world.hit('answer late')
      const say = (ms: number, status: number, outcome: PersistReceipt<Row> | Error) => {
        const told = () => {
          if (!life.step() || signal.aborted) return
          const retryAfter = outcome instanceof RateLimitError ? outcome.retryAfter : undefined
          world.record({
            is: 'answer',
            life: life.id,
            request: number,
            task,
            status,
            applied: this.applied.has(key),
            ...(retryAfter !== undefined && { retryAfter }),
            ...(outcome instanceof PermanentError && { permanent: true as const }),
          })
          if (outcome instanceof Error) reject(outcome)
          else resolve(outcome)
        }
        if (ms === 0 && arrive === 0 && work === 0) world.loop.in(0, told, life)
        else world.loop.in(ms, told, life)
      }
      const offline = () => !world.isOnline && weather.is !== 'silent'
      if (offline()) return say(0, 0, new NetworkError(longAgo(request)))
      world.loop.in(arrive, () =>
        this.arrive(
          request,
          weather,
          (status, outcome) => {
            if (weather.is === 'silent' || weather.is === 'hangs') return
            if (weather.is === 'lost' || weather.is === 'down') say(answer, 0, new NetworkError(longAgo(request)))
            else if (weather.is === 'broken') say(answer, 500, new ServerError(longAgo(request), { status: 500 }))
            else say(answer, status, outcome)
          },
          work,
        ),
      )
      if (weather.is === 'doubled') world.loop.in(arrive + 20, () => this.arrive(request, fine, () => undefined, work))
    })
  }

  /** A request is there: refused on the way, or worked on. */
  private arrive(
    request: Request,
    { is }: Weather,
    say: (status: number, outcome: PersistReceipt<Row> | Error) => void,
    work: number,
  ): void {
    const refusal = onTheWay(is, longAgo(request))
    if (refusal) return say(statusOf(is), refusal)
    const body = JSON.stringify([request.owner, request.entity, request.operation, request.rev])
    const known = this.remembered(request.key)
    if (known && known.body !== body)
      return say(422, new ClientError('The key was used for something else.', { status: 422 }))
    if (known?.receipt) return say(200, known.receipt)
    if (known) {
      this.world.hit('key outstanding')
      return say(409, new ClientError(longAgo(request), { status: 409 }))
    }
    const refused = byTheApplication(is, longAgo(request))
    if (refused) return say(statusOf(is), refused)
    const working: Remembered = { body, receipt: undefined, at: this.world.loop.now }
    if (this.world.script.config.keyWindow > 0) this.keys.set(request.key, working)
    const done = () => {
      working.receipt = this.apply(request)
      say(200, working.receipt)
    }
    if (work === 0) done()
    else this.world.loop.in(work, done)
  }

  private remembered(key: string): Remembered | undefined {
    this.forget()
    return this.keys.get(key)
  }

  /** What is too old to be remembered. */
  private forget(): void {
    const oldest = this.world.loop.now - this.world.script.config.keyWindow - this.world.grace - slack
    for (const [key, { at }] of this.keys) {
      if (at >= oldest) continue
      this.world.hit('key forgotten')
      this.keys.delete(key)
    }
  }

  private apply({ task, key, owner, entity, operation, rev }: Request): PersistReceipt<Row> {
    const at = `${owner}/${entity}`
    const row = this.rows.get(at)
    const version = ++this.versions
    this.world.record({ is: 'apply', task, key, owner, entity, operation, rev })
    this.applied.add(key)
    if (operation === 'delete') {
      this.rows.delete(at)
      return {}
    }
    const backendId = row?.backendId ?? `b${version}`
    this.rows.set(at, { rev, version, backendId })
    return { backendId, version }
  }

  private reconcile(
    life: Life,
    entity: string,
    _data: Row | undefined,
    { taskId: task, idempotencyKey: key, owner }: AttemptContext,
  ): Promise<Reconciliation<Row>> {
    return new Promise((resolve) => {
      if (!life.step()) return
      this.world.hit('reconciled', true)
      const isKnown = this.world.script.config.reconcile === 'knows'
      // What is still under way decides it: nobody could tell before.
      const landing = Math.max(0, (this.landing.get(key) ?? 0) - this.world.loop.now)
      this.world.loop.in(
        landing + 1 + this.world.latency(),
        () => {
          if (!life.step()) return
          const applied = this.applied.has(key)
          this.world.record({
            is: 'reconcile',
            life: life.id,
            task,
            key,
            answer: isKnown ? (applied ? 'applied' : 'not applied') : 'unknown',
          })
          const row = this.rows.get(`${owner}/${entity}`)
          resolve(
            isKnown
              ? applied
                ? { applied, receipt: { ...(row && { backendId: row.backendId, version: row.version }) } }
                : { applied }
              : 'unknown',
          )
        },
        life,
      )
    })
  }
}

/** What somebody before the application says. */
function onTheWay(is: Answer, message: string): Error | undefined {
  switch (is) {
    case 'down':
    case 'hangs':
    case 'html':
      return new NetworkError(message)
    case 401:
      return new AuthError(message, { status: 401 })
    case 408:
      return new TimeoutError(message, { status: 408 })
    case 425:
      return new PersistenceError(message, { status: 425 })
    case 429:
      return new RateLimitError(message, { status: 429, retryAfter: 7_000 })
    case 500:
    case 503:
      return new ServerError(message, { status: is })
    default:
      return undefined
  }
}

/** What the application says of a key that it does not know yet. */
function byTheApplication(is: Answer, message: string): Error | undefined {
  if (is === 'permanent') return new PermanentError(message, { status: 422 })
  if (is === 409 || is === 412) return new ConflictError(message, { status: is, remote: { rev: -1 } })
  if (is === 400 || is === 403 || is === 404 || is === 422) return new ClientError(message, { status: is })
  return undefined
}

function statusOf(is: Answer): number {
  if (is === 'permanent') return 422
  return typeof is === 'number' ? is : 0
}
