import type { SchedulerLike, Subscription } from 'rxjs'
import type { Journal } from '../storage/journal.ts'
import type { OutboxState } from './state.ts'
import { snapshot } from './snapshot.ts'

/** Garbage that is put up with, in records. */
const tolerated = 1_000
/** Milliseconds that a compaction waits: it is for when there is nothing else to do. */
const rest = 2_000

export interface CompactionConfig {
  scheduler: SchedulerLike
  owner: string
  /** The leader's journal and what it means; `undefined` while there is none. */
  open: () => { journal: Journal; state: OutboxState } | undefined
  isBusy: () => boolean
  /** The journal holds what is sealed with an older key, or not at all. */
  isOutdated: (journal: string) => boolean
}

/** Writes the journal anew once garbage outweighs what is alive, or its key is no longer the present one. */
export interface Compaction {
  /** Something was written. */
  check: () => void
  close: () => void
}

export function createCompaction({ scheduler, owner, open, isBusy, isOutdated }: CompactionConfig): Compaction {
  let timer: Subscription | undefined

  function close(): void {
    timer?.unsubscribe()
    timer = undefined
  }

  function due() {
    const opened = open()
    if (!opened) return undefined
    const { journal, state } = opened
    const isFull = journal.size > 2 * (state.tasks.size + state.lanes.size) + tolerated
    return isFull || isOutdated(journal.name) ? opened : undefined
  }

  function check(): void {
    if (timer || !due()) return
    timer = scheduler.schedule(() => {
      close()
      const opened = due()
      if (!opened) return
      if (isBusy()) return check()
      // Where it fails, the journal tells, and what was written stays.
      opened.journal.compact(() => snapshot(opened.state, owner)).catch(() => undefined)
    }, rest)
  }

  return { check, close }
}
