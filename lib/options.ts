import { isObservable, type Observable, of, type SchedulerLike } from 'rxjs'
import * as z from 'zod/mini'
import type { BreakerConfig, Encryption, LockManagerLike, Options, Strategies, TabChannel } from './api.ts'
import { checkStrategies } from './checkStrategies.ts'
import { environment } from './environment.ts'
import { randomIds } from './randomIds.ts'
import type { StandardSchemaV1 } from './standardSchema.ts'
import { type Beside, besideOf } from './storage/beside.ts'
import { chooseStore, type StoreChoice } from './storage/chooseStore.ts'
import type { Merges } from './outbox/rows.ts'
import { present } from './outbox/snapshot.ts'
import type { JournalStore } from './storage/journalStore.ts'
import type { EntityEvent, EntityMap, EntityOperators } from './events.ts'
import type { ConflictResolver } from './conflict.ts'
import type { IncomingChange, PullOptions } from './remote.ts'
import type { PersistenceStrategy, RetryConfig } from './types.ts'

/** The options as the rest of the library sees them: complete, checked, and without types of entities. */
export interface Settings {
  name: string
  owner$: Observable<string | null>
  store: JournalStore
  storageChoice: StoreChoice
  /** What stands beside a store of that kind. */
  besideOf: (kind: string) => Beside
  concurrency: number
  priorityOf: (event: EntityEvent) => number
  maxOvertakes: number
  maxAge: number | undefined
  quiet: number
  attemptTimeout: number
  jitter: number
  maxRetryAfter: number
  breaker: BreakerConfig | false
  schemaVersion: number
  idOf: (data: unknown, entityType: string) => unknown
  online$: Observable<boolean>
  scheduler: SchedulerLike
  random: () => number
  createId: () => string
  locks: LockManagerLike | null
  channel: (name: string) => TabChannel | null
  leaderTimeout: number
  entityTypes: readonly string[]
  strategyOf: (entityType: string) => PersistenceStrategy<unknown> | undefined
  retryConfigOf: (entityType: string) => RetryConfig
  operatorsOf: (entityType: string) => EntityOperators<unknown> | undefined
  schemaOf: (entityType: string) => StandardSchemaV1 | undefined
  migrationOf: (entityType: string) => ((data: unknown, from: number) => unknown) | undefined
  resolverOf: (entityType: string) => ConflictResolver | undefined
  /** Types of which it is kept what both sides agreed on last. */
  keepsBase: (entityType: string) => boolean
  merges: Merges
  keyOf: Encryption['key'] | undefined
  applyOf: (entityType: string) => Apply | undefined
  pull: PullOptions
}

export type Apply = (changes: readonly IncomingChange[]) => unknown

const retryDefaults: RetryConfig = { maxRetries: 3, initialDelay: 180_000, multiplier: 4, maxDelay: 3_600_000 }
const breakerDefaults: BreakerConfig = { failures: 5, delay: 5_000, maxDelay: 300_000 }
const pullDefaults: PullOptions = {
  onStart: true,
  onReconnect: true,
  onFocus: true,
  interval: 300_000,
  live: true,
  limit: 500,
}
const neverByItself = { onStart: false, onReconnect: false, onFocus: false, interval: false, live: false } as const

const duration = z.number().check(z.gte(0))
const count = z.int().check(z.gte(1))
const callable = z.custom((value) => typeof value === 'function', 'has to be a function')
const observable = z.custom((value) => isObservable(value), 'has to be an Observable')
const retry = z.strictObject({
  maxRetries: z.optional(z.union([z.int().check(z.gte(0)), z.literal(Infinity)])),
  initialDelay: z.optional(duration),
  multiplier: z.optional(z.number().check(z.gt(0))),
  maxDelay: z.optional(z.union([duration, z.literal(Infinity)])),
})
const perType = <T extends z.ZodMiniType>(value: T) => z.optional(z.record(z.string(), z.optional(value)))
const options = z.strictObject({
  bus: z.optional(
    z.custom((value) => typeof value === 'object' && value !== null, 'has to come from createEventBus()'),
  ),
  name: z.optional(z.string().check(z.minLength(1))),
  owner: z.optional(z.union([z.string(), observable])),
  storage: z.optional(
    z.union([z.string(), z.custom((value) => typeof value === 'object' || typeof value === 'function')]),
  ),
  snapshot: z.optional(z.union([z.null(), z.custom(isLocalForage, 'has to be an instance of localforage, or null')])),
  durability: z.optional(z.enum(['relaxed', 'strict'])),
  workerUrl: z.optional(z.union([z.string().check(z.minLength(1)), z.instanceof(URL)])),
  concurrency: z.optional(count),
  priority: z.optional(z.union([z.number(), callable])),
  maxOvertakes: z.optional(z.union([count, z.literal(Infinity)])),
  maxAge: z.optional(z.number().check(z.gt(0))),
  quiet: z.optional(duration),
  attemptTimeout: z.optional(z.number().check(z.gt(0))),
  retryConfig: z.optional(retry),
  retryConfigByEntityType: perType(retry),
  jitter: z.optional(z.number().check(z.gte(0), z.lte(1))),
  maxRetryAfter: z.optional(duration),
  breaker: z.optional(
    z.union([
      z.literal(false),
      z.strictObject({ failures: z.optional(count), delay: z.optional(duration), maxDelay: z.optional(duration) }),
    ]),
  ),
  operators: perType(z.strictObject({ events: z.optional(callable), attempt: z.optional(callable) })),
  idOf: z.optional(callable),
  schemas: perType(z.custom(isStandardSchema, 'has to be a Standard Schema')),
  schemaVersion: z.optional(count),
  migrations: perType(callable),
  conflict: perType(callable),
  apply: perType(callable),
  pull: z.optional(
    z.union([
      z.literal(false),
      z.strictObject({
        onStart: z.optional(z.boolean()),
        onReconnect: z.optional(z.boolean()),
        onFocus: z.optional(z.boolean()),
        interval: z.optional(z.union([z.literal(false), z.number().check(z.gte(1_000))])),
        live: z.optional(z.boolean()),
        limit: z.optional(count),
      }),
    ]),
  ),
  encryption: z.optional(
    z
      .object({ key: callable })
      .check(
        z.refine(environment.hasWebCrypto, 'there is no WebCrypto here; browsers have it on https and on localhost'),
      ),
  ),
  online$: z.optional(observable),
  scheduler: z.optional(z.custom(isScheduler, 'has to be a scheduler of RxJS')),
  random: z.optional(callable),
  createId: z.optional(callable),
  locks: z.optional(
    z.union([z.null(), z.custom((value) => typeof value === 'object', 'has to be like navigator.locks')]),
  ),
  channel: z.optional(z.union([z.null(), callable])),
  leaderTimeout: z.optional(z.number().check(z.gt(0))),
})

/**
 * Checks options and strategies, once, and fills in the defaults.
 *
 * @throws TypeError that names the option
 */
export function normalize<E extends EntityMap>(strategies: Strategies<E>, given: Options<E> = {}): Settings {
  checkStrategies(strategies)
  check(given, Object.keys(strategies))
  const { owner = '', priority = 0, breaker = {}, idOf, encryption, scheduler = environment.scheduler } = given
  const byType = new Map<string, PersistenceStrategy<unknown>>(Object.entries(strategies))
  const retryConfig: RetryConfig = { ...retryDefaults, ...present({ ...given.retryConfig }) }
  const ownRetryConfigs = Object.entries<Partial<RetryConfig> | undefined>(given.retryConfigByEntityType ?? {})
  const retryConfigs = new Map(ownRetryConfigs.map(([type, own]) => [type, { ...retryConfig, ...present({ ...own }) }]))
  const operators = new Map<string, EntityOperators<unknown> | undefined>(Object.entries(given.operators ?? {}))
  const schemas = new Map<string, StandardSchemaV1 | undefined>(Object.entries(given.schemas ?? {}))
  const apply = new Map<string, Apply | undefined>(Object.entries(given.apply ?? {}))
  const { durability = 'relaxed', workerUrl, pull = {} } = given
  const storageChoice = chooseStore(given.storage, { durability, workerUrl, scheduler })
  const migrations = new Map<string, ((data: unknown, from: number) => unknown) | undefined>(
    Object.entries(given.migrations ?? {}),
  )
  const resolvers = new Map<string, ConflictResolver<never> | undefined>(Object.entries(given.conflict ?? {}))
  return {
    name: given.name ?? 'rx-outbox',
    owner$: typeof owner === 'string' ? of(owner) : owner,
    store: storageChoice.store,
    storageChoice,
    besideOf: besideOf(given, scheduler),
    concurrency: given.concurrency ?? 1,
    priorityOf: typeof priority === 'function' ? priority : () => priority,
    maxOvertakes: given.maxOvertakes ?? 1_000,
    maxAge: given.maxAge,
    quiet: given.quiet ?? 0,
    attemptTimeout: given.attemptTimeout ?? 30_000,
    jitter: given.jitter ?? 0,
    maxRetryAfter: given.maxRetryAfter ?? 86_400_000,
    breaker: breaker === false ? false : { ...breakerDefaults, ...present(breaker) },
    schemaVersion: given.schemaVersion ?? 1,
    idOf: idOf ? (...args): unknown => Reflect.apply(idOf, undefined, args) : defaultIdOf,
    online$: given.online$ ?? environment.online$(),
    scheduler,
    random: given.random ?? environment.random,
    createId: given.createId ?? randomIds(environment.randomBytes),
    locks: given.locks === undefined ? environment.locks() : given.locks,
    channel: given.channel === undefined ? environment.channel : (given.channel ?? (() => null)),
    leaderTimeout: given.leaderTimeout ?? 90_000,
    entityTypes: [...byType.keys()],
    strategyOf: (entityType) => byType.get(entityType),
    retryConfigOf: (entityType) => retryConfigs.get(entityType) ?? retryConfig,
    operatorsOf: (entityType) => operators.get(entityType),
    schemaOf: (entityType) => schemas.get(entityType),
    migrationOf: (entityType) => migrations.get(entityType),
    resolverOf(entityType) {
      const resolver = resolvers.get(entityType)
      return resolver && ((...args) => call<ReturnType<ConflictResolver>>(resolver, args))
    },
    keepsBase: (entityType) => resolvers.get(entityType) !== undefined,
    merges: (entityType) => byType.get(entityType)?.merges === true,
    keyOf: encryption && ((request) => encryption.key(request)),
    applyOf: (entityType) => apply.get(entityType),
    pull: { ...pullDefaults, ...(pull === false ? neverByItself : present(pull)) },
  }
}

function check(given: object, entityTypes: string[]): void {
  const result = options.safeParse(present(given))
  const issue = result.error?.issues[0]
  if (issue) {
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys : []
    const name = [...issue.path, ...unknown].join('.')
    throw new TypeError(`Option ${name}: ${unknown.length > 0 ? 'there is no such option' : issue.message}.`)
  }
  for (const name of ['retryConfigByEntityType', 'operators', 'schemas', 'migrations', 'conflict', 'apply'] as const) {
    const types: unknown = Reflect.get(given, name)
    for (const type of Object.keys(types ?? {})) {
      if (!entityTypes.includes(type)) throw new TypeError(`Option ${name}.${type}: there is no strategy for ${type}.`)
    }
  }
}

function isStandardSchema(value: unknown): boolean {
  return value !== null && (typeof value === 'object' || typeof value === 'function') && '~standard' in value
}

function isScheduler(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'schedule' in value && 'now' in value
}

function isLocalForage(value: unknown): boolean {
  const methods = ['getItem', 'setItem', 'removeItem', 'keys', 'iterate']
  return methods.every((name) => typeof Reflect.get(Object(value), name) === 'function')
}

function defaultIdOf(data: unknown): unknown {
  return typeof data === 'object' && data !== null ? Reflect.get(data, 'id') : undefined
}

/** What an option of the app gives back is looked at by whoever uses it. */
function call<R>(option: (...args: never[]) => R, args: readonly unknown[]): R {
  return Reflect.apply<undefined, readonly unknown[], R>(option as (...given: readonly unknown[]) => R, undefined, args)
}
