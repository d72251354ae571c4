import { type Entry, type Lane, laneKey } from '../outbox/lane.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { Journal } from '../storage/journal.ts'
import type { Sending } from '../storage/records.ts'

export interface MarksConfig {
  outbox: Outbox
  journal: Pick<Journal, 'write'>
  now: () => number
  open: (entityType: string) => boolean
  /** Types of which no task is marked before its turn: their remote knows no keys, or nobody reaches it. */
  oneByOne: (entityType: string) => boolean
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
  /** Freezes the input of a task anew; resolves when that is stored. */
  mark: (entry: Entry) => Promise<void>
}

const [fewest, most] = [4, 1024]

export function createMarks({ outbox, journal, now, open, oneByOne, wake }: MarksConfig): Marks {
  let ahead = fewest
  let begun = 0
  let writing = false
  let hungry = false

  function freeze(entry: Entry): Sending {
    const { known } = entry.lane
    const { lanes } = outbox.state
    const record: Sending = {
      kind: 'sending',
      ...outbox.stamp(),
      task: entry.lsn,
      firstSentAt: now(),
      backendId: known?.backendId,
      version: known?.version,
      backendIds: entry.dependsOn?.map(
        ({ entityType, id }) => lanes.get(laneKey(entityType, id))?.known?.backendId ?? null,
      ),
    }
    outbox.commit(record)
    entry.inDoubt = false
    return record
  }

  async function store(entries: Entry[]): Promise<void> {
    await journal.write(entries.map(freeze), 'state')
    for (const { mark } of entries) if (mark) mark.durable = true
  }

  function markable(lanes: Lane[]): Entry[] {
    return lanes.flatMap(({ queue: [head], entityType }, at) =>
      head && !head.mark && (at === 0 || !oneByOne(entityType)) ? [head] : [],
    )
  }

  function markAhead(): void {
    if (writing) return
    begun = 0
    const entries = markable(outbox.schedule.upcoming(ahead, open))
    if (entries.length === 0) return
    writing = true
    void store(entries).then(() => {
      writing = false
      ahead = hungry ? Math.min(most, ahead * 2) : Math.max(fewest, ahead - 1)
      hungry = false
      wake()
    })
  }

  return {
    starved() {
      hungry = true
      markAhead()
    },
    begun() {
      if (++begun >= ahead / 2) markAhead()
    },
    mark: (entry) => store([entry]),
  }
}
