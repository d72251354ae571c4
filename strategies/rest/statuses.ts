import {
  AuthError,
  ClientError,
  ConflictError,
  NetworkError,
  PermanentError,
  type PersistenceError,
  type PersistenceErrorInit,
  RateLimitError,
  ServerError,
  TimeoutError,
} from 'rx-outbox'

type ErrorClass = new (message: string, init: PersistenceErrorInit) => PersistenceError

const byStatus: Record<number, ErrorClass> = {
  401: AuthError,
  408: TimeoutError,
  412: ConflictError,
  429: RateLimitError,
  // "Network Authentication Required": sent by a captive portal, never by the server itself (RFC 6585).
  511: NetworkError,
}

/** The error that a refusing status stands for; `permanent` names the statuses that no retry will change. */
export function refusal(message: string, init: PersistenceErrorInit & { status: number }, permanent: number[]) {
  const { status, remote } = init
  // A 409 that shows nothing speaks of the idempotency key: the first request with it is still being worked on.
  const outstanding = status === 409 && remote === undefined
  const said = outstanding ? `${message}: the idempotency key is outstanding` : message
  const error = new (classOf(status, remote))(said, init)
  return permanent.includes(status) ? new PermanentError(said, { ...init, category: error.category }) : error
}

function classOf(status: number, remote: unknown): ErrorClass {
  // A 410 that stands for a remote is of an update: somebody deleted it.
  if (remote !== undefined) return ConflictError
  return byStatus[status] ?? (status >= 500 ? ServerError : ClientError)
}
