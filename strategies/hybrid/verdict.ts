import {
  AuthError,
  classify,
  ClientError,
  type ErrorCategory,
  isPermanentError,
  isPersistenceError,
  NetworkError,
  PermanentError,
  PersistenceError,
  type PersistenceErrorInit,
  RateLimitError,
  ServerError,
  TimeoutError,
} from 'rx-outbox'

/** A leg that did not confirm. */
export interface Failure {
  leg: { name: string; counts: boolean }
  error: unknown
}

/**
 * Which failure decides: the first of these. Who may have been reached comes first, because its doubt must not be
 * forgotten; then what somebody or time has to cure; what cannot be cured comes last, so that everybody else is served.
 */
const order: ErrorCategory[] = ['network', 'timeout', 'server', 'unknown', 'auth', 'rate-limit', 'conflict', 'client']

const classes = {
  network: NetworkError,
  timeout: TimeoutError,
  server: ServerError,
  unknown: PersistenceError,
  auth: AuthError,
  'rate-limit': RateLimitError,
  client: ClientError,
}

/** The error of the whole, with the longest `Retry-After` of all. A conflict is given back as the leg threw it. */
export function verdict(failures: readonly Failure[]): unknown {
  const [decisive] = [...failures].sort((a, b) => rankOf(a) - rankOf(b))
  if (!decisive) return new PersistenceError('No leg was asked.')
  const category = categoryOf(decisive)
  if (category === 'conflict' && !isPermanentError(decisive.error)) return decisive.error
  const errors = failures.map(({ error }) => error)
  const { status } = classify(decisive.error)
  const waits = errors.flatMap((error) => (isPersistenceError(error) ? (error.retryAfter ?? []) : []))
  const init: PersistenceErrorInit = {
    cause: errors.length === 1 ? errors[0] : new AggregateError(errors),
    ...(status !== undefined && { status }),
    ...(waits.length > 0 && { retryAfter: Math.max(...waits) }),
  }
  const message = failures.map(({ leg, error }) => `${leg.name}: ${classify(error).message}`).join('; ')
  if (isPermanentError(decisive.error) || category === 'conflict')
    return new PermanentError(message, { ...init, category })
  return new classes[category](message, init)
}

/** Whether the app has to decide before anybody can go on. */
export function isConflict(failure: Failure): boolean {
  return categoryOf(failure) === 'conflict' && !isPermanentError(failure.error)
}

/** A leg that was given no version can be in no conflict: what it says is a refusal. */
function categoryOf({ leg, error }: Failure): ErrorCategory {
  const { category } = classify(error)
  return category === 'conflict' && !leg.counts ? 'client' : category
}

function rankOf(failure: Failure): number {
  return isPermanentError(failure.error) ? order.length : order.indexOf(categoryOf(failure))
}
