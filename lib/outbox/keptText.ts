import { encodeValue } from '../storage/value.ts'
import type { Ended } from '../storage/records.ts'
import type { Entry } from './lane.ts'

/** What is kept of a task that was persisted: its own data, or what the remote made of it. */
export function keptText({ lane, data, operation }: Entry, answered: unknown): Pick<Ended, 'kept' | 'data'> {
  if (answered === undefined || operation === 'delete') return { kept: true }
  try {
    const text = encodeValue(answered, lane.entityType)
    return text === data ? { kept: true } : { kept: true, data: text }
  } catch {
    // Nothing that could be stored: as if nothing had been said.
    return { kept: true }
  }
}
