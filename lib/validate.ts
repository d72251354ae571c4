import type { StandardSchemaV1 } from './standardSchema.ts'

/**
 * Asks a schema whether data has its shape; what the schema makes of it is not looked at.
 *
 * @throws TypeError that names the field's path
 */
export function validate(schema: StandardSchemaV1 | undefined, data: unknown, entityType: string): void {
  if (!schema) return
  const result = schema['~standard'].validate(data)
  if (result instanceof Promise) throw new TypeError(`Option schemas.${entityType}: has to be synchronous.`)
  const issue = result.issues?.[0]
  if (!issue) return
  const path = [entityType, ...(issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part))]
  throw new TypeError(`${path.join('.')}: ${issue.message}`)
}
