import { httpDate } from './httpDate.ts'

/**
 * Milliseconds that `Retry-After` asks to wait. A date counts from the answer's own `Date`: the clock here may be
 * wrong, and two times of one clock are not.
 */
export function retryAfter(headers: Headers): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) return undefined
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, Number.MAX_SAFE_INTEGER)
  const then = httpDate(value)
  const now = httpDate(headers.get('date'))
  return then === undefined || now === undefined ? undefined : Math.max(0, then - now)
}
