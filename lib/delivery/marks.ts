import { classify } from '../errors.ts'
import { type Entry, type Lane, laneKey } from '../outbox/lane.ts'
import type { Outbox } from '../outbox/outbox.ts'
import { isInConflict, madeOn, type Merges } from '../outbox/rows.ts'
import type { Journal } from '../storage/journal.ts'
import type { Sending } from '../storage/records.ts'

export interface MarksConfig {
  outbox: Outbox
  journal: Pick<Journal, 'write'>
  now: () => number
  open: (entityType: string) => boolean
  /** Types of which no task is marked before its turn: their remote knows no keys, or nobody reaches it. */
  oneByOne: (entityType: string) => boolean
  /** Brings a task into the present shape, before that is frozen; may throw. */
  migrate: (entry: Entry) => Pick<Sending, 'data' | 'schemaVersion'> | undefined
  merges: Merges
  /** The remote holds another row than the task was made on: it is not marked, and does not go. */
  meet: (entry: Entry) => void
  /** Marks were stored: somebody may go. */
  wake: () => void
}

/**
 * Writes `sending` records ahead of delivery, in groups: the next few lane heads, as many as keep delivery from
 * waiting. The window doubles when delivery waits for a mark, and shrinks while it does not.
 */
export interface Marks {
  /** Delivery stands still until the head of this lane is marked. */
  starved: () => void
  /** A marked task has begun. */
  begun: () => void
  /** It is sent as if for the first time: the window of its key begins anew. Resolves when that is stored. */
  renew: (entry: Entry) => Promise<void>
}

const [fewest, most] = [4, 1024]

export function createMarks(config: MarksConfig): Marks {
  const { outbox, journal, now, open, oneByOne, migrate, merges, meet, wake } = config
  let ahead = fewest
  let begun = 0
  let writing = false
  let hungry = false

  function inputOf(entry: Entry): Pick<Sending, 'backendId' | 'version' | 'backendIds' | 'base'> {
    const { lane, dependsOn } = entry
    const { lanes } = outbox.state
    const backendIds = dependsOn?.map(
      ({ entityType, id }) => lanes.get(laneKey(entityType, id))?.known?.backendId ?? null,
    )
    const { version, data: base } = madeOn(entry) ?? {}
    return { backendId: lane.known?.backendId, version, backendIds, base }
  }

  function freeze(entry: Entry, firstSentAt: number): Sending {
    // What was frozen once stays: it is sent under the same key.
    const { backendId, version, backendIds, base } = entry.mark ?? inputOf(entry)
    const migrated = entry.mark ? undefined : migrate(entry)
    const input = { firstSentAt, backendId, version, backendIds, base, ...migrated }
    const record: Sending = { ...input, ...outbox.stamp(), kind: 'sending', task: entry.lsn }
    // It came back from a mirror, which may have missed the mark.
    const wasSent = entry.inDoubt && !entry.mark
    outbox.commit(record)
    entry.inDoubt = wasSent
    return record
  }

  /** Who is in conflict, or cannot be brought into the present shape, holds up nobody. */
  function freezeOrEnd(entry: Entry, frozen: Map<Entry, Sending>): void {
    if (isInConflict(entry, merges)) return meet(entry)
    try {
      frozen.set(entry, freeze(entry, sentSince(entry)))
    } catch (error) {
      outbox.end(entry, { status: 'failed', error: { ...classify(error), category: 'client' } })
    }
  }

  function sentSince({ mark, inDoubt }: Entry): number {
    return mark?.firstSentAt ?? (inDoubt ? outbox.state.doubt?.since : undefined) ?? now()
  }

  async function store(entries: Entry[], records: Sending[]): Promise<void> {
    await journal.write(records, 'state')
    for (const { mark } of entries) if (mark) mark.durable = true
  }

  /** `isTurn`: the first of them would go now. */
  function markable(lanes: Lane[], isTurn: boolean): Entry[] {
    return lanes.flatMap(({ queue: [head], entityType }, at) =>
      head && !head.mark?.durable && ((isTurn && at === 0) || !oneByOne(entityType)) ? [head] : [],
    )
  }

  function markAhead(isTurn: boolean): void {
    if (writing) return
    begun = 0
    const frozen = new Map<Entry, Sending>()
    let heads: Entry[]
    do {
      heads = markable(outbox.schedule.upcoming(ahead, open), isTurn)
      for (const head of heads) freezeOrEnd(head, frozen)
      // Where all of them ended, others are heads now.
    } while (heads.length > 0 && frozen.size === 0)
    if (frozen.size === 0) return
    writing = true
    const stored = () => {
      writing = false
      ahead = hungry ? Math.min(most, ahead * 2) : Math.max(fewest, ahead - 1)
      hungry = false
      wake()
    }
    // Rejected only when the journal has closed: then nothing goes any more.
    store([...frozen.keys()], [...frozen.values()]).then(stored, () => undefined)
  }

  return {
    starved() {
      hungry = true
      markAhead(true)
    },
    begun() {
      if (++begun >= ahead * 0.7) markAhead(false)
    },
    renew: (entry) => store([entry], [freeze(entry, now())]),
  }
}
