import { isPersistenceError } from '../errors.ts'

/** Milliseconds for which the remote asked to be left alone, at most `longest`. */
export function retryAfterOf(thrown: unknown, longest: number): number | undefined {
  const asked = isPersistenceError(thrown) ? thrown.retryAfter : undefined
  return asked !== undefined && asked >= 0 ? Math.min(asked, longest) : undefined
}
