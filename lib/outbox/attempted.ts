import type { Retry } from '../storage/records.ts'
import type { Entry } from './lane.ts'

/** It did not end with this attempt. */
export function putOff(entry: Entry, record: Retry, isDoubtful: boolean): void {
  entry.retryCount = record.retryCount
  entry.retryAt = record.retryAt
  entry.error = record.error
  entry.held = record.held ?? false
  entry.inDoubt = record.inDoubt ?? isDoubtful
  // The next attempt leaves a doubt of its own behind, that the journal has to know of before.
  if (entry.mark && !entry.inDoubt) entry.mark.durable = false
}
