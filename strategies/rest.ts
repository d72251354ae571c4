import ky from 'ky'
import {
  type AttemptContext,
  isPersistenceError,
  NetworkError,
  type PersistableEntity,
  type PersistenceStrategy,
  type PersistReceipt,
  type Reconciliation,
} from 'rx-outbox'
import { isConflict, isGone, isRedirect, syncedAt } from './rest/answer.ts'
import { drop, isJson, readJson } from './rest/body.ts'
import { ifMatch } from './rest/entityTag.ts'
import { requestHeaders } from './rest/headers.ts'
import { holdsSent } from './rest/holdsSent.ts'
import { toJson } from './rest/json.ts'
import { createIncoming } from './rest/incoming.ts'
import { type RestContext, type RestOptions, withDefaults } from './rest/options.ts'
import type { Answer, Call } from './rest/call.ts'
import { collectionUrl, itemUrl } from './rest/path.ts'
import { retryAfter } from './rest/retryAfter.ts'
import { fitted } from './rest/schema.ts'
import { refusal } from './rest/statuses.ts'
import { structuredString } from './rest/structuredField.ts'
import { untilAborted } from './rest/untilAborted.ts'

export type { RestAnswer } from './rest/answer.ts'
export type { RestContext, RestOptions } from './rest/options.ts'

/**
 * Persists the entities of one type through a REST API, with `Idempotency-Key`, `If-Match` and `ETag`.
 * The outbox retries, so nothing here does.
 * @throws TypeError for a wrong option
 *
 * @example
 * createPersistence({ strategies: { tag: restStrategy<Tag>({ url: '/api/tags', schema: Tag }) } })
 */
export function restStrategy<T>(options: RestOptions<T>): PersistenceStrategy<T> {
  const { schema, methods, toBody, idOf, versionOf, remoteOf, ...rest } = withDefaults(options)

  const collection = () => collectionUrl(rest.url, rest.baseUrl ?? pageOrigin())
  const item = (id: string, attempt: AttemptContext) => itemUrl(collection(), attempt.backendId ?? id)

  async function send({ method, url, only, body, accept }: Call, attempt: RestContext): Promise<Response> {
    const request = nameOf({ method, url })
    const token = await rest.token?.(attempt.owner, attempt)
    const headers = requestHeaders(
      { accept: accept ?? 'application/json', ...(body !== undefined && { 'content-type': 'application/json' }) },
      await rest.headers?.(attempt),
      {
        ...(attempt.idempotencyKey !== undefined &&
          method !== 'GET' && { 'idempotency-key': structuredString(attempt.idempotencyKey) }),
        ...only,
      },
      token ? { authorization: `Bearer ${token}` } : {},
    )
    // The attempt may have ended while the token was asked for.
    attempt.signal.throwIfAborted()
    const fetch = rest.fetch ?? globalThis.fetch
    const response = await ky(url, {
      method,
      headers,
      body,
      signal: attempt.signal,
      credentials: rest.credentials,
      cache: 'no-store',
      redirect: 'manual',
      retry: 0,
      timeout: false,
      throwHttpErrors: false,
      // Called without an owner: browsers refuse to run their own fetch as a method of something else.
      fetch: (input, init) => fetch(input, init),
    }).catch((error: unknown) => {
      throw unreached(request, error)
    })
    if (!isRedirect(response)) return response
    drop(response)
    throw new NetworkError(`${request} was redirected, and redirects are refused`)
  }

  async function exchange(call: Call, attempt: RestContext, maxBytes = rest.maxBytes): Promise<Answer> {
    const request = nameOf(call)
    const response = await send(call, attempt)
    const { status, ok } = response
    // Of refusals only those are read that may show what the remote holds.
    const telling = ok || (isConflict(status) && isJson(response))
    const known = telling ? await readJson(request, response, maxBytes) : drop(response)
    return { request, ok, status, headers: response.headers, body: known }
  }

  async function receiptOf(answer: Answer): Promise<PersistReceipt<T>> {
    const { request, body } = answer
    const data = schema && body !== undefined && { data: await fitted(request, schema, body) }
    const id = idOf(answer)
    const version = versionOf(answer)
    return {
      ...(id !== undefined && { backendId: String(id) }),
      ...(version !== undefined && { version }),
      ...data,
      ...syncedAt(answer),
    }
  }

  /** What the remote holds instead, and its version, in the shape of the app. */
  async function conflicting(answer: Answer): Promise<Error> {
    const remote = isConflict(answer.status) ? remoteOf(answer) : undefined
    if (remote === undefined) return refused(answer)
    const version = versionOf({ ...answer, body: remote })
    const row = schema && remote !== null ? await fitted(answer.request, schema, remote) : remote
    return refused(answer, { remote: row, ...(version !== undefined && { version }) })
  }

  function refused(
    { request, status, headers }: Pick<Answer, 'request' | 'status' | 'headers'>,
    row: { remote?: unknown; version?: string | number } = {},
  ) {
    const wait = retryAfter(headers)
    const init = { status, ...row, ...(wait !== undefined && { retryAfter: wait }) }
    return refusal(`${request} was answered with ${status}`, init, rest.permanent)
  }

  async function write(call: Call, attempt: AttemptContext): Promise<PersistReceipt<T>> {
    const answer = await exchange(call, attempt)
    if (answer.ok) return receiptOf(answer)
    const remote = isConflict(answer.status) ? remoteOf(answer) : undefined
    const mayBeOurs = rest.adoptEqual === 'always' || attempt.attempt > 1
    if (mayBeOurs && holdsSent(remote, call.body)) return receiptOf({ ...answer, body: remote })
    throw await conflicting(answer)
  }

  async function remove(id: string, attempt: AttemptContext): Promise<PersistReceipt<T>> {
    const answer = await exchange({ method: 'DELETE', url: item(id, attempt), only: unchanged(attempt) }, attempt)
    if (answer.ok) return syncedAt(answer)
    const remote = isConflict(answer.status) ? remoteOf(answer) : undefined
    if (isGone(answer.status) || remote === null) return {}
    throw await conflicting(answer)
  }

  async function look(entity: PersistableEntity<T>, attempt: AttemptContext): Promise<Reconciliation<T>> {
    const deleted = entity.data === undefined
    const answer = await exchange({ method: 'GET', url: item(entity.id, attempt) }, attempt)
    if (isGone(answer.status)) {
      if (deleted) return { applied: true }
      return rest.localIds || attempt.backendId !== undefined ? { applied: false } : 'unknown'
    }
    if (!answer.ok) throw refused(answer)
    if (!deleted && holdsSent(answer.body, toJson(toBody(entity, attempt)))) {
      return { applied: true, receipt: await receiptOf(answer) }
    }
    // Still the version that the write started from: nothing was written since.
    const { version } = attempt
    return version !== undefined && String(version) === String(versionOf(answer)) ? { applied: false } : 'unknown'
  }

  const incoming = createIncoming({ ...rest, collection, send, exchange, refused, ...(schema && { schema }) })

  return {
    persistCreate: (entity, attempt) =>
      untilAborted(attempt.signal, async () => {
        const body = toJson(toBody(entity, attempt))
        if (methods.create === 'POST') return write({ method: 'POST', url: collection(), body }, attempt)
        return write({ method: 'PUT', url: item(entity.id, attempt), only: { 'if-none-match': '*' }, body }, attempt)
      }),
    persistUpdate: (entity, attempt) =>
      untilAborted(attempt.signal, async () => {
        const body = toJson(toBody(entity, attempt))
        const url = item(entity.id, attempt)
        return write({ method: methods.update, url, only: unchanged(attempt), body }, attempt)
      }),
    persistDelete: (id, _entityType, attempt) => untilAborted(attempt.signal, () => remove(id, attempt)),
    reconcile: (entity, attempt) => untilAborted(attempt.signal, () => look(entity, attempt)),
    ...incoming,
    keyWindow: rest.keyWindow,
    ...(rest.coalesce && { coalesce: rest.coalesce }),
  }
}

function nameOf({ method, url }: Pick<Call, 'method' | 'url'>): string {
  return `${method} ${url.pathname}`
}

function unchanged({ version }: AttemptContext): NonNullable<Call['only']> {
  return version === undefined ? {} : { 'if-match': ifMatch(version) }
}

/** ky's own error holds the request, and with it the token: only what lies under it is kept. */
function unreached(request: string, error: unknown): Error {
  if (isPersistenceError(error)) return error
  const cause = error instanceof Error && error.name === 'NetworkError' ? error.cause : error
  return new NetworkError(`${request} got no answer`, { cause })
}

function pageOrigin(): string | undefined {
  return 'location' in globalThis ? globalThis.location.origin : undefined
}
