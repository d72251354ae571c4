import {
  ClientError,
  ConflictError,
  NetworkError,
  PermanentError,
  RateLimitError,
  ServerError,
} from '../../../lib/errors.ts'
import type { AttemptContext, PersistenceStrategy, PersistReceipt, Reconciliation } from '../../../lib/types.ts'
import type { Body } from '../history.ts'
import type { Operation, Weather } from '../script.ts'
import { byTheApplication, onTheWay, revOf, statusOf } from './answers.ts'
import type { Life } from './life.ts'
import { Pulls } from './pulls.ts'
import { type Row, Rows } from './rows.ts'
import type { World } from './world.ts'

interface Request extends Body {
  number: number
  life: Life
  task: string
  key: string
  owner: string
  backendId: string | undefined
  version: string | number | undefined
  data: Row | undefined
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
  readonly rows = new Rows()
  private readonly pulls: Pulls
  private readonly world: World
  private readonly keys = new Map<string, Remembered>()
  private readonly applied = new Map<string, PersistReceipt<Row>>()
  /** Keys that met a conflict: they meet one for ever, also when an earlier copy of the request arrives. */
  private readonly refused = new Set<string>()
  /** Until when requests of a key are under way (ms of true time). */
  private readonly landing = new Map<string, number>()
  private requests = 0

  constructor(world: World) {
    this.world = world
    this.pulls = new Pulls(world, this.rows)
  }

  strategy(life: Life, type: string): PersistenceStrategy<Row> {
    const { keyWindow, reconcile, pull } = this.world.script.config
    const call = (operation: Operation, entity: string, data: Row | undefined, context: AttemptContext) =>
      this.send(this.requestOf(life, operation, entity, data, context), context.signal)
    return {
      persistCreate: ({ entityType, id, data }, context) => call('create', `${entityType} ${id}`, data, context),
      persistUpdate: ({ entityType, id, data }, context) => call('update', `${entityType} ${id}`, data, context),
      persistDelete: (id, entityType, context) => call('delete', `${entityType} ${id}`, undefined, context),
      keyWindow,
      ...(pull && { pull: (request) => this.pulls.ask(life, type, request) }),
      ...(reconcile && {
        reconcile: (_, context) => this.reconcile(life, context),
      }),
    }
  }

  private requestOf(
    life: Life,
    operation: Operation,
    entity: string,
    data: Row | undefined,
    { taskId: task, idempotencyKey: key, owner, backendId, version }: AttemptContext,
  ): Request {
    const { rev = 0, merged } = data ?? {}
    const body: Body = { entity, operation, rev, ...(merged !== undefined && { merged }) }
    return { number: this.requests++, life, task, key, owner, backendId, version, data, ...body }
  }

  private send(request: Request, signal: AbortSignal): Promise<PersistReceipt<Row>> {
    const { world } = this
    const { life, number, task, key, owner, entity, operation, rev, merged } = request
    const body: Body = { entity, operation, rev, ...(merged !== undefined && { merged }) }
    const weather = (world.isCalm ? undefined : world.script.weather[number]) ?? fine
    const [arrive, work, answer] = weather.takes
    this.landing.set(key, Math.max(this.landing.get(key) ?? 0, world.loop.now + arrive + work))
    return new Promise((resolve, reject) => {
      if (!life.step()) return
      world.record({ is: 'send', life: life.id, request: number, task, key, owner, ...body })
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
            ...(outcome instanceof ConflictError && { remote: revOf(outcome.remote) }),
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
    const { owner, entity, operation, rev, merged } = request
    const body = JSON.stringify([owner, entity, operation, rev, merged])
    const known = this.remembered(request.key)
    if (known && known.body !== body)
      return say(422, new ClientError('The key was used for something else.', { status: 422 }))
    if (known?.receipt) return say(200, known.receipt)
    if (known) {
      this.world.hit('key outstanding')
      return say(409, new ClientError(longAgo(request), { status: 409 }))
    }
    if (is === 409 || is === 412 || this.refused.has(request.key))
      return this.refuse(request, is === 409 ? is : 412, say)
    const refused = byTheApplication(is, longAgo(request))
    if (refused) return say(statusOf(is), refused)
    const working: Remembered = { body, receipt: undefined, at: this.world.loop.now }
    if (this.world.script.config.keyWindow > 0) this.keys.set(request.key, working)
    const done = () => {
      if (this.isOutdated(request)) {
        this.world.hit('version refused')
        this.keys.delete(request.key)
        return this.refuse(request, 412, say)
      }
      working.receipt = this.apply(request)
      say(200, working.receipt)
    }
    if (work === 0) done()
    else this.world.loop.in(work, done)
  }

  /** Says what it holds. */
  private refuse(request: Request, status: 409 | 412, say: (status: number, outcome: Error) => void): void {
    this.refused.add(request.key)
    const { data = null, version } = this.rows.get(`${request.owner}/${request.entity}`) ?? {}
    const remote = structuredClone(data)
    say(status, new ConflictError(longAgo(request), { status, remote, ...(version !== undefined && { version }) }))
  }

  private isOutdated({ owner, entity, version }: Request): boolean {
    return version !== undefined && version !== this.rows.get(`${owner}/${entity}`)?.version
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

  private apply({ task, key, owner, entity, operation, rev, merged, data }: Request): PersistReceipt<Row> {
    const at = `${owner}/${entity}`
    const held = data && this.rows.put(at, () => structuredClone(data))
    const version = held?.version ?? this.rows.remove(at)
    const receipt = held ? { backendId: held.backendId, version } : {}
    this.applied.set(key, receipt)
    this.world.record({
      is: 'apply',
      task,
      key,
      owner,
      entity,
      operation,
      rev,
      version,
      ...(merged !== undefined && { merged }),
    })
    return receipt
  }

  private reconcile(life: Life, { taskId: task, idempotencyKey: key }: AttemptContext): Promise<Reconciliation<Row>> {
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
          const receipt = this.applied.get(key)
          const applied = receipt !== undefined
          this.world.record({
            is: 'reconcile',
            life: life.id,
            task,
            key,
            answer: isKnown ? (applied ? 'applied' : 'not applied') : 'unknown',
          })
          resolve(isKnown ? (receipt ? { applied: true, receipt } : { applied: false }) : 'unknown')
        },
        life,
      )
    })
  }
}
