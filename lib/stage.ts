import type { Controls } from './controls.ts'
import type { Delivery } from './delivery/delivery.ts'
import type { Gates } from './gates.ts'
import type { Settings } from './options.ts'
import type { Lane } from './outbox/lane.ts'
import type { Fact } from './outbox/facts.ts'
import { createOutbox, type Outbox } from './outbox/outbox.ts'
import type { StorageNews } from './recovery.ts'
import { createJournal, type Journal } from './storage/journal.ts'
import type { Mirror } from './storage/mirror.ts'
import type { Enqueued, JournalRecord } from './storage/records.ts'
import type { Views } from './sync/metadata.ts'
import type { TellRemote } from './sync/remoteNews.ts'
import type { Sync } from './sync/sync.ts'
import type { Freshness } from './tabs/freshness.ts'
import type { Wire } from './tabs/wire.ts'

/** What a stage is opened with. */
export interface StageConfig {
  settings: Settings
  space: string
  owner: string
  views: Views
  gates: Gates
  wire: Wire
  /** The lock that a journal's writer holds. */
  lockOf: (journal: string) => string
  isOnline: () => boolean
  /** Nothing goes while this is false: offline, paused, or perhaps no longer the leader. */
  mayGo: () => boolean
  freshness: Freshness
  tell: (fact: Fact) => void
  remote: TellRemote
  changed: (lane?: Lane) => void
  trouble: (error: unknown) => void
  storage: (error: unknown) => void
  recovery: (news: StorageNews) => void
  isBusy: () => boolean
}

/** An open outbox: what the journals say, and the side that writes. Only a leader's has a delivery. */
export interface Stage {
  readonly outbox: Outbox
  readonly journal: Journal
  readonly delivery: Delivery | undefined
  /** Only a leader's. */
  readonly sync: Sync | undefined
  readonly mirror: Mirror | undefined
  readonly controls: Controls
  /** How many tasks could go now. */
  pending: () => number
  /** The number of the next record. */
  stamp: () => { lsn: number; epoch: number }
  /** Tasks that are stored now enter their lanes. */
  accept: (records: readonly Enqueued[]) => void
  /** Writes what waits, and lets the journal go. */
  close: () => Promise<void>
  /** Nobody waits for its end any longer: what its store still answers changes nothing. */
  abandon: () => void
}

/** An empty outbox; `note` is its writing side. */
export function emptyOutbox(
  { settings, tell, changed, trouble }: StageConfig,
  note: (record: JournalRecord) => void,
  committed?: Mirror['changed'],
): Outbox {
  const { scheduler, strategyOf, retryConfigOf, maxOvertakes, quiet, schemaVersion } = settings
  return createOutbox({
    journal: { note },
    now: () => scheduler.now(),
    maxOvertakes,
    quiet,
    longestWait: ({ held, lane }) => held || retryConfigOf(lane.entityType).maxDelay,
    knows: (entityType, version) => strategyOf(entityType) !== undefined && version <= schemaVersion,
    keeps: settings.keepsBase,
    schemaVersion,
    coalesceOf: (entityType) => strategyOf(entityType)?.coalesce,
    tell,
    changed,
    ...(committed && { committed }),
    trouble,
  })
}

/** The writing side of a journal that holds `size` records already. */
export function openJournal(
  { settings, space, storage, changed }: StageConfig,
  { name, size, stored }: { name: string; size: number; stored: (records: JournalRecord[]) => void },
): Journal {
  const { store, scheduler } = settings
  return createJournal({ store, space, name, scheduler, size, stored, trouble: storage, rested: () => changed() })
}
