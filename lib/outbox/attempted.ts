import type { Retry, Sending } from '../storage/records.ts'
import type { Entry } from './lane.ts'

/** From here on it may have been sent. */
export function freeze(entry: Entry, record: Sending): void {
  const { firstSentAt, backendId, version, backendIds, base, schemaVersion, data } = record
  entry.mark = { firstSentAt, backendId, version, backendIds, base, durable: false }
  // Read from a journal, a mark means that it may have been sent; who writes it live knows better.
  entry.inDoubt = true
  if (schemaVersion === undefined || data === undefined) return
  entry.schemaVersion = schemaVersion
  entry.data = data
}

/** It did not end with this attempt. */
export function putOff(entry: Entry, record: Retry, isDoubtful: boolean): void {
  entry.retryCount = record.retryCount
  entry.retryAt = record.retryAt
  entry.error = record.error
  entry.held = record.held ?? 0
  entry.inDoubt = record.inDoubt ?? isDoubtful
  // The next attempt leaves a doubt of its own behind, that the journal has to know of before.
  if (entry.mark && !entry.inDoubt) entry.mark.durable = false
}

/** In a conflict that the app was asked about. */
export function isAsked({ state, blockedBy, error }: Entry): boolean {
  return state === 'parked' && blockedBy === undefined && error?.category === 'conflict'
}
