import type { ErrorCategory, TaskError } from './types.ts'

/** What an error of the library, or of a strategy, can say beyond its message. */
export interface PersistenceErrorInit {
  cause?: unknown
  /** The HTTP status, where there was one. */
  status?: number
  /** Milliseconds the remote asked to wait. */
  retryAfter?: number
  /** What the remote holds instead: of a conflict; `null` where it was deleted. */
  remote?: unknown
  /** The version of what the remote holds: of a conflict. */
  version?: string | number
}

/** The base of all errors here. Strategies throw the subclasses; they are told apart by class and status, never by text. */
export class PersistenceError extends Error {
  override name = 'PersistenceError'
  readonly category: ErrorCategory = 'unknown'
  readonly status?: number
  readonly retryAfter?: number
  readonly remote?: unknown
  readonly version?: string | number

  constructor(message: string, init: PersistenceErrorInit = {}) {
    super(message, 'cause' in init ? { cause: init.cause } : undefined)
    if (init.status !== undefined) this.status = init.status
    if (init.retryAfter !== undefined) this.retryAfter = init.retryAfter
    if (init.remote !== undefined) this.remote = init.remote
    if (init.version !== undefined) this.version = init.version
  }
}

/** The remote was not reached, or something else answered (a captive portal, a refused redirect). */
export class NetworkError extends PersistenceError {
  override name = 'NetworkError'
  override readonly category: ErrorCategory = 'network'
}

/** No answer in time. */
export class TimeoutError extends PersistenceError {
  override name = 'TimeoutError'
  override readonly category: ErrorCategory = 'timeout'
}

/** The remote answered and failed (5xx), or its answer cannot be believed. */
export class ServerError extends PersistenceError {
  override name = 'ServerError'
  override readonly category: ErrorCategory = 'server'
}

/** The remote refused the request (4xx). Retried like any other error. */
export class ClientError extends PersistenceError {
  override name = 'ClientError'
  override readonly category: ErrorCategory = 'client'
}

/** Nobody is logged in (401): the entity type waits for `authorized()`, and no attempt is counted. */
export class AuthError extends PersistenceError {
  override name = 'AuthError'
  override readonly category: ErrorCategory = 'auth'
}

/** The remote holds another version (409 with a remote, 412): `remote` and its `version`; a `remote` of `null` was deleted. */
export class ConflictError extends PersistenceError {
  override name = 'ConflictError'
  override readonly category: ErrorCategory = 'conflict'
}

/** Too many requests (429). */
export class RateLimitError extends PersistenceError {
  override name = 'RateLimitError'
  override readonly category: ErrorCategory = 'rate-limit'
}

/** Thrown by a strategy for which trying again is pointless: the task becomes a dead letter at once. */
export class PermanentError extends PersistenceError {
  override name = 'PermanentError'
  override readonly category: ErrorCategory
  constructor(message: string, init: PersistenceErrorInit & { category?: ErrorCategory } = {}) {
    super(message, init)
    this.category = init.category ?? 'client'
  }
}

/** Something could not be stored or read. */
export class StorageError extends PersistenceError {
  override name = 'StorageError'
}

/** The journal cannot be opened or written while a key is missing, or does not fit. Nothing is lost meanwhile. */
export class LockedError extends StorageError {
  override name = 'LockedError'
  /** Resolves when it is worth trying again, where that is known. */
  readonly unlocked?: Promise<void>

  constructor(message: string, { unlocked, ...init }: PersistenceErrorInit & { unlocked?: Promise<void> } = {}) {
    super(message, init)
    if (unlocked) this.unlocked = unlocked
  }
}

/** The instance was closed before it could do what was asked. */
export class ClosedError extends PersistenceError {
  override name = 'ClosedError'
}

/** Nobody owns what was emitted: `owner` is `null`. */
export class NoOwnerError extends PersistenceError {
  override name = 'NoOwnerError'
}

/** True for errors of this library, also of another copy or realm of it: decided by shape, not by `instanceof`. */
export function isPersistenceError(error: unknown): error is PersistenceError {
  return error instanceof Error && 'category' in error && typeof error.category === 'string'
}

/** True for a `PermanentError`, of whatever realm. */
export function isPermanentError(error: unknown): error is PermanentError {
  return isPersistenceError(error) && error.name === 'PermanentError'
}

const byStatus: Record<number, ErrorCategory> = {
  401: 'auth',
  408: 'timeout',
  409: 'conflict',
  412: 'conflict',
  429: 'rate-limit',
}

/**
 * The category of whatever was thrown, by class and status.
 *
 * @example classify(new NetworkError('refused')) // { category: 'network', message: 'refused' }
 */
export function classify(error: unknown): TaskError {
  return read(toLegible(error))
}

/** What was thrown, or, where a getter or a proxy of it throws in turn, an error that says so. */
export function toLegible(thrown: unknown): unknown {
  try {
    read(thrown)
    if (isPersistenceError(thrown)) void [thrown.name, thrown.retryAfter]
    return thrown
  } catch (cause) {
    return new PersistenceError('Something was thrown that cannot be read.', { cause })
  }
}

function read(error: unknown): TaskError {
  const message = error instanceof Error ? error.message : String(error)
  const status = statusOf(error)
  return { category: categoryOf(error, status), message, ...(status !== undefined && { status }) }
}

function categoryOf(error: unknown, status: number | undefined): ErrorCategory {
  if (isPersistenceError(error)) return error.category
  if (status !== undefined) {
    const known = byStatus[status]
    if (known) return known
    if (status >= 500) return 'server'
    if (status >= 400) return 'client'
  }
  const name = error instanceof Error ? error.name : ''
  if (name === 'TimeoutError') return 'timeout'
  if (name === 'NetworkError') return 'network'
  return 'unknown'
}

/** `error.status` (most HTTP clients) or `error.response.status` (ky, axios), when it is a status. */
function statusOf(error: unknown): number | undefined {
  for (const holder of [error, field(error, 'response')]) {
    const status = field(holder, 'status')
    if (typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599) return status
  }
  return undefined
}

function field(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? (Reflect.get(holder, name) as unknown) : undefined
}
