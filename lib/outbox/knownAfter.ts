import type { Ended, Metadata } from '../storage/records.ts'
import type { Entry, Known } from './lane.ts'
import { localOf } from './rows.ts'

/** What is known of an entity once one of its tasks, which has left the queue, was persisted. */
export function knownAfter(entry: Entry, record: Ended): Known | undefined {
  const { lane, operation, place, local } = entry
  const { known, queue } = lane
  const [first] = queue
  // A create and a delete that met say nothing of what an earlier task will still find.
  if (operation === 'delete') return first && first.place < place ? known : undefined
  // Later tasks were made on what the app shows, whatever the remote made of it.
  const isFollowed = local !== undefined || first !== undefined
  const agreed = isFollowed ? localOf(entry).data : (record.data ?? entry.data)
  return {
    backendId: record.backendId ?? known?.backendId,
    version: record.version,
    lastSyncAt: record.at,
    data: record.kept ? agreed : undefined,
  }
}

/** What a record says is known; one that says nothing ends what was. */
export function knownFrom({ backendId, version, lastSyncAt, data }: Metadata): Known | undefined {
  const says = [backendId, version, lastSyncAt, data].some((value) => value !== undefined)
  return says ? { backendId, version, lastSyncAt, data } : undefined
}
