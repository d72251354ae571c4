import type { OutboxEvents, PersistenceTask } from 'rx-outbox'
import type { Entities } from '../entities.ts'
import { errorText } from '../errorText.ts'

type Payload = OutboxEvents<Entities>[keyof OutboxEvents<Entities>]

/** An event of the bus in a few words. */
export function describeEvent(payload: Payload): { subject: string; detail: string } {
  if ('task' in payload) return { subject: subjectOf(payload.task), detail: '' }
  if (!('entityType' in payload)) return { subject: '', detail: messageOf(payload.error) }
  const { entityType } = payload
  if ('data' in payload && payload.data) {
    return {
      subject: subjectOf({ entityType, entityId: payload.data.id, data: payload.data }),
      detail: detailOf(payload),
    }
  }
  if ('id' in payload) return { subject: subjectOf({ entityType, entityId: payload.id }), detail: detailOf(payload) }
  return { subject: entityType, detail: '' }
}

/** `note “Milk”`, or the beginning of its id where it has no text. */
export function subjectOf({
  entityType,
  entityId,
  data,
}: Pick<PersistenceTask, 'entityType' | 'entityId' | 'data'>): string {
  const name = textOf(data, 'title') ?? textOf(data, 'name')
  return name ? `${entityType} “${name}”` : `${entityType} ${entityId.slice(0, 8)}`
}

function detailOf(payload: Payload): string {
  if (!('metadata' in payload)) return ''
  if ('error' in payload) return errorText(payload.error)
  return payload.metadata.version === undefined ? '' : `version ${payload.metadata.version}`
}

function textOf(data: unknown, field: string): string | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const value: unknown = Reflect.get(data, field)
  return typeof value === 'string' && value !== '' ? value : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}
