import type { OutboxEvents } from 'rx-outbox'
import type { Entities } from '../entities.ts'
import { errorLabel } from '../errorText.ts'
import { subjectOf } from './subjectOf.ts'

type Payload = OutboxEvents<Entities>[keyof OutboxEvents<Entities>]

/** An event of the bus in a few words. */
export function describeEvent(payload: Payload): { subject: string; detail: string } {
  if ('task' in payload) return { subject: subjectOf(payload.task), detail: '' }
  if (!('entityType' in payload)) return { subject: '', detail: 'error' in payload ? messageOf(payload.error) : '' }
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

function detailOf(payload: Payload): string {
  if (!('metadata' in payload)) return ''
  if ('error' in payload) return errorLabel(payload.error)
  return payload.metadata.version === undefined ? '' : `version ${payload.metadata.version}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}
