import type { JournalRecord } from '../storage/records.ts'
import type { Row } from '../sync/readRow.ts'

/** What the tabs of one (name, owner) tell each other. It only wakes: the journals are the truth. */
export type TabMessage =
  /** The leader is there, and stands here. */
  | ({ is: 'leading' } & LeaderNews)
  /** The leader stored these, right behind the record `after`. */
  | { is: 'stored'; journal: string; after: number; records: JournalRecord[] }
  /** The command that a follower's journal holds at `command` was carried out. */
  | { is: 'done'; writer: string; command: number; taskId?: string; error?: string }
  /** The leader's app has taken these over. */
  | { is: 'remote'; entityType: string; rows: Row[] }
  /** A tab is looked at again. */
  | { is: 'focus' }
  /** A follower is there, or has written something. */
  | { is: 'here'; writer: string }
  /** Whoever is there is to say so. */
  | { is: 'rollCall' }

/** What is known of the leader beyond its journal. */
export interface LeaderNews {
  /** The journal it writes, and the last lsn that is stored there. */
  journal: string
  lsn: number
  /** Tasks in flight, by lsn. */
  sending: number[]
  /** How many tasks could go now. */
  pending: number
  paused: boolean
  unauthorized: string[]
}

/** Tabs of different versions understand each other, or do not hear each other. */
export const dialect = 1

const kinds = new Set<unknown>(['leading', 'stored', 'done', 'here', 'rollCall', 'remote', 'focus'])

/** The message of an event's data, or `undefined` for what is none. */
export function tabMessage(data: unknown): TabMessage | undefined {
  return isTabMessage(data) ? data : undefined
}

function isTabMessage(data: unknown): data is TabMessage {
  return (
    typeof data === 'object' &&
    data !== null &&
    'dialect' in data &&
    data.dialect === dialect &&
    'is' in data &&
    kinds.has(data.is)
  )
}
