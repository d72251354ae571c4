import type { PersistenceTask } from 'rx-outbox'

/** A delete carries no text: what it is about is known from what passed before. */
const names = new Map<string, string>()

/** `note “Milk”`, or the beginning of its id where no text is known. */
export function subjectOf({
  entityType,
  entityId,
  data,
}: Pick<PersistenceTask, 'entityType' | 'entityId' | 'data'>): string {
  const name = textOf(data, 'title') ?? textOf(data, 'name') ?? names.get(entityId)
  if (name === undefined) return `${entityType} ${entityId.slice(0, 8)}`
  names.set(entityId, name)
  return `${entityType} “${name}”`
}

function textOf(data: unknown, field: string): string | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const value: unknown = Reflect.get(data, field)
  return typeof value === 'string' && value !== '' ? value : undefined
}
