import type { SchedulerLike } from 'rxjs'
import type { LocalForageLike } from '../api.ts'
import type { JournalStore } from './journalStore.ts'
import { localforageStore } from './localforage.ts'

/** What stands beside the store of the journals. */
export interface Beside {
  /** Where the mirror is kept; `null`: nowhere. */
  mirror: JournalStore | null
  /** Where an earlier version, or a run that had nothing better, may have left journals. */
  former: JournalStore | null
}

/**
 * By the kind of store that turned out to be the one: OPFS has localforage beside it, a store that was handed in nothing
 * but what was asked for.
 *
 * @throws TypeError where the mirror would stand in the store itself
 */
export function besideOf(
  { storage, snapshot }: { storage?: unknown; snapshot?: LocalForageLike | null },
  scheduler: SchedulerLike,
): (kind: string) => Beside {
  if (snapshot && snapshot === storage)
    throw new TypeError('Option snapshot: has to be another place than storage, which it is to outlive.')
  const asked = snapshot && localforageStore(snapshot, { scheduler })
  const ordinary = (kind: string) =>
    storage === undefined && kind === 'opfs' ? localforageStore(undefined, { scheduler }) : null
  return (kind) => {
    const former = ordinary(kind)
    return { mirror: asked === undefined ? former : asked, former }
  }
}
