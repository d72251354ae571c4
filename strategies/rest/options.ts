import type { AttemptContext, PersistableEntity, PersistenceStrategy, RemoteRow, StandardSchemaV1 } from 'rx-outbox'
import { idIn, remoteIn, type RestAnswer, versionIn } from './answer.ts'

/** What a request is made for: an attempt, or a pull, which has only an owner and a signal. */
export type RestContext = Pick<AttemptContext, 'owner' | 'signal'> & Partial<AttemptContext>

export interface RestOptions<T> {
  /** The collection: creates go to it, updates and deletes to `url/id`. Absolute, or relative to `baseUrl`. */
  url: string
  /** What a relative `url` starts from. @default the origin of the page */
  baseUrl?: string
  /** Any Standard Schema; checks the answers to creates and updates, and makes `receipt.data` of them. @default none */
  schema?: StandardSchemaV1<T>
  /** The backend's id in an answer. @default `_id`, else `id` of a JSON object */
  idOf?: (answer: RestAnswer) => string | number | undefined
  /** The version in an answer, for the next `If-Match`. @default the `ETag` */
  versionOf?: (answer: RestAnswer) => string | number | undefined
  /** What the remote holds instead, in a 409 or 412; its `ETag` is the answer's. @default `current`, else `remote` */
  remoteOf?: (answer: RestAnswer) => unknown
  /**
   * What is sent, as JSON. It must be the same for every attempt of a task: one key stands for one body.
   * @default the entity's data
   */
  toBody?: (entity: PersistableEntity<T>, attempt: AttemptContext) => unknown
  /**
   * A create by `PUT` goes to `url/id` under `If-None-Match: *`.
   * @default { create: 'POST', update: 'PUT' }
   */
  methods?: { create?: 'POST' | 'PUT'; update?: 'PUT' | 'PATCH' | 'POST' }
  /** More headers, for each request anew; none of them is stored or shows in an error. @default none */
  headers?: (attempt: RestContext) => HeadersInit | Promise<HeadersInit>
  /**
   * Asked at each request and sent as `Authorization: Bearer`; never stored, never in an error. What it throws is the
   * attempt's error: an `AuthError` makes the entity type wait for `authorized()`.
   * @default no token
   */
  token?: (owner: string, attempt: RestContext) => string | undefined | Promise<string | undefined>
  /** @default 'same-origin' */
  credentials?: RequestCredentials
  /** Statuses that no retry will change: they end in a dead letter at once. @default [] */
  permanent?: number[]
  /**
   * Whether the remote answers `GET url?since=CHECKPOINT&limit=N` with a page, as the guide to REST servers says.
   * @default true
   */
  pull?: boolean
  /**
   * Where it says live what changes, as Server-Sent Events: `true` is `url/changes`. It is listened to from the end of a
   * pull on. @default false
   */
  live?: boolean | string
  /** A row of a page, or of a live event, as the outbox takes it. @default its `id`, `version`, `backendId` and `data` */
  fromRow?: (row: unknown) => RemoteRow<unknown>
  /** Milliseconds without a byte after which a live connection is given up. @default 90_000 */
  liveSilence?: number
  /** Bytes of a page that are read. @default 16_777_216 */
  maxPageBytes?: number
  /** Bytes of an answer that are read; more is an error of the server. @default 1_048_576 */
  maxBytes?: number
  /**
   * When a 409 or 412 whose remote equals what was sent counts as persisted: it may be the trace of an attempt whose
   * answer was lost. `'always'` also at the first attempt, which may follow a crash that nobody counted.
   * @default 'always'
   */
  adoptEqual?: 'always' | 'on-retry'
  /**
   * Whether the remote finds an entity by its local id. If not, `reconcile` cannot look for a create that has no
   * backend id yet, and says `'unknown'`.
   * @default true
   */
  localIds?: boolean
  /** Milliseconds for which the remote remembers an idempotency key; 0 = it knows none. @default Infinity */
  keyWindow?: number
  /** Joins two changes that wait. @default the newer replaces the older */
  coalesce?: PersistenceStrategy<T>['coalesce']
  /** @default the global one, looked up at each attempt */
  fetch?: typeof fetch
}

/**
 * The options with their defaults.
 * @throws TypeError that names the option; what depends on the page is looked at when it is needed
 */
export function withDefaults<T>(options: RestOptions<T>) {
  const { toBody = dataOf, idOf = idIn, versionOf = versionIn, remoteOf = remoteIn } = options
  const { credentials = 'same-origin', adoptEqual = 'always', localIds = true } = options
  const { url, maxBytes = 1_048_576, keyWindow = Infinity, permanent = [] } = options
  const { pull = true, live = false, liveSilence = 90_000, maxPageBytes = 16_777_216, fromRow = rowOf } = options
  const { create = 'POST', update = 'PUT' } = options.methods ?? {}
  if (typeof url !== 'string' || url === '') throw wrong('url', 'a text that is not empty')
  if (!(maxBytes > 0)) throw wrong('maxBytes', 'a number above 0')
  if (live !== false && !pull) throw wrong('live', 'false where `pull` is')
  if (!(maxPageBytes > 0)) throw wrong('maxPageBytes', 'a number above 0')
  if (!(liveSilence > 0)) throw wrong('liveSilence', 'a number above 0')
  if (!(keyWindow >= 0)) throw wrong('keyWindow', 'a number from 0 up')
  if (!permanent.every((status) => Number.isInteger(status))) throw wrong('permanent', 'a list of statuses')
  const readers = { toBody, idOf, versionOf, remoteOf, fromRow }
  const rules = { credentials, adoptEqual, localIds, maxBytes, keyWindow, permanent, methods: { create, update } }
  const incoming = { pull, live, liveSilence, maxPageBytes }
  return { ...options, ...readers, ...rules, ...incoming }
}

function dataOf<T>(entity: PersistableEntity<T>): unknown {
  return entity.data
}

/** What is missing or of another type, the outbox refuses by its name. */
function rowOf(row: unknown): RemoteRow<unknown> {
  return row as RemoteRow<unknown>
}

function wrong(option: string, expected: string): TypeError {
  return new TypeError(`restStrategy: \`${option}\` must be ${expected}`)
}
