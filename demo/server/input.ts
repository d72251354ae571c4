import type { HonoRequest } from 'hono'
import { z } from 'zod'
import { Problem } from './problem.ts'

const idShape = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'holds control characters')

/** An entity of whatever shape: the server needs its id and keeps the rest. */
export const createShape = z.looseObject({ id: idShape }).transform(withoutBackendId)
export const updateShape = z.looseObject({ id: idShape.optional() }).transform(withoutBackendId)

export const sinceShape = z.object({
  since: z
    .string()
    .regex(/^\d{1,18}$/)
    .optional(),
})
export const pageShape = sinceShape.extend({ limit: z.coerce.number().int().min(1).max(1_000).optional() })

/** @throws Problem 415 or 400 when the body is no JSON, 422 when it is of another shape */
export function parseBody<T extends z.ZodType>(request: HonoRequest, text: string, shape: T): z.output<T> {
  const type = request.header('Content-Type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type !== 'application/json') throw new Problem(415, 'not-json', { detail: 'Send application/json.' })
  return check(parseJson(text), shape, 422, 'not-acceptable')
}

/** @throws Problem 400 */
export function parseQuery<T extends z.ZodType>(request: { query: () => unknown }, shape: T): z.output<T> {
  return check(request.query(), shape, 400, 'malformed-request')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem(400, 'malformed-request', { detail: 'The body is not JSON.' })
  }
}

function check<T extends z.ZodType>(value: unknown, shape: T, status: number, type: string): z.output<T> {
  const checked = shape.safeParse(value)
  if (checked.success) return checked.data
  throw new Problem(status, type, { detail: z.prettifyError(checked.error) })
}

/** `_id` is the server's to give. */
function withoutBackendId<T extends Record<string, unknown>>(entity: T): T {
  const data = { ...entity }
  delete data['_id']
  return data
}
