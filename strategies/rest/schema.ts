import { ServerError, type StandardIssue, type StandardSchemaV1 } from 'rx-outbox'

/**
 * What a schema makes of an answer.
 * @throws ServerError that names the field, never its value
 */
export async function fitted<T>(request: string, schema: StandardSchemaV1<T>, body: unknown): Promise<T> {
  const result = await schema['~standard'].validate(body)
  if (!result.issues) return result.value
  throw new ServerError(`The answer to ${request} does not fit the schema${at(result.issues[0])}`)
}

function at(issue: StandardIssue | undefined): string {
  const path = (issue?.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part))
  return path.length > 0 ? ` at ${path.join('.')}` : ''
}
