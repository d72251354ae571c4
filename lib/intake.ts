import type { Draft } from './door.ts'
import { ClosedError } from './errors.ts'
import type { Settings } from './options.ts'
import { laneKey } from './outbox/lane.ts'
import type { OpenReceipt, Receipts } from './outbox/receipts.ts'
import type { Stage } from './stage.ts'
import type { Enqueued } from './storage/records.ts'

interface Taken {
  draft: Draft
  receipt: OpenReceipt
}

export interface IntakeConfig {
  settings: Settings
  owner: string
  receipts: Receipts
  /** Where to store; `undefined` while nothing is open: then events wait. */
  stage: () => Stage | undefined
  changed: () => void
}

/** From checked events to stored tasks: all events of one tick are stored together. */
export interface Intake {
  accept: (draft: Draft, receipt?: OpenReceipt) => void
  /** Stores what waits; resolves when that is known to be stored, or not. */
  store: () => Promise<void>
  /** Events that are not stored yet. */
  readonly unstored: number
  /** The lanes of events that are not stored yet. */
  unstoredLanes: () => ReadonlySet<string>
  /** Refuses what comes from now on. */
  close: () => void
}

export function createIntake({ settings, owner, receipts, stage, changed }: IntakeConfig): Intake {
  let waiting: Taken[] = []
  const batches = new Set<Taken[]>()
  let storing = 0
  let isScheduled = false
  let isClosed = false

  async function store(): Promise<void> {
    isScheduled = false
    const into = stage()
    if (!into || waiting.length === 0) return
    const batch = waiting
    waiting = []
    storing += batch.length
    batches.add(batch)
    const records = batch.map(({ draft, receipt }) => recordOf(draft, receipt.taskId, into))
    try {
      await into.journal.write(records, 'enqueue')
      into.accept(records)
      const journal = into.journal.name
      for (const [i, { lsn }] of records.entries()) batch[i]?.receipt.stored({ journal, lsn })
    } catch (error) {
      // Closed to be opened anew, in another role: what could not be written waits for that.
      if (error instanceof ClosedError && !isClosed) waiting = [...batch, ...waiting]
      else for (const { receipt } of batch) receipt.notStored(error)
    }
    storing -= batch.length
    batches.delete(batch)
    into.delivery?.wake()
    changed()
  }

  function recordOf(draft: Draft, id: string, { stamp }: Stage): Enqueued {
    const { entityType, operation, createdAt, priority, expiresAt, maxAge, dependsOn, text } = draft
    return {
      ...stamp(),
      kind: 'enqueued',
      id,
      entityType,
      entityId: draft.id,
      operation,
      createdAt,
      schemaVersion: settings.schemaVersion,
      priority,
      owner: owner === '' ? undefined : owner,
      expiresAt,
      maxAge,
      dependsOn,
      data: text,
    }
  }

  return {
    store,
    accept(draft, receipt = receipts.open(settings.createId())) {
      if (isClosed) throw new ClosedError('The outbox is closed.')
      waiting.push({ draft, receipt })
      if (isScheduled || !stage()) return
      isScheduled = true
      void Promise.resolve().then(store)
    },
    get unstored() {
      return waiting.length + storing
    },
    unstoredLanes() {
      const events = [...waiting, ...[...batches].flat()]
      return new Set(events.map(({ draft: { entityType, id } }) => laneKey(entityType, id)))
    },
    close() {
      isClosed = true
    },
  }
}
