import {
  AuthError,
  ClientError,
  NetworkError,
  PermanentError,
  PersistenceError,
  RateLimitError,
  ServerError,
  TimeoutError,
} from '../../../lib/errors.ts'
import type { Answer } from '../script.ts'

/** What somebody before the application says. */
export function onTheWay(is: Answer, message: string): Error | undefined {
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
export function byTheApplication(is: Answer, message: string): Error | undefined {
  if (is === 'permanent') return new PermanentError(message, { status: 422 })
  if (is === 400 || is === 403 || is === 404 || is === 422) return new ClientError(message, { status: is })
  return undefined
}

export function revOf(remote: unknown): number | null {
  return typeof remote === 'object' && remote !== null && 'rev' in remote ? Number(remote.rev) : null
}

export function statusOf(is: Answer): number {
  if (is === 'permanent') return 422
  return typeof is === 'number' ? is : 0
}
