import type { SchedulerLike } from 'rxjs'
import type { LocalForageLike } from '../api.ts'
import { environment } from '../environment.ts'
import type { JournalStore } from './journalStore.ts'
import { localforageStore } from './localforage.ts'
import { memoryStore } from './memory.ts'

/** The store that was asked for, or the best there is. OPFS will stand before localforage here. */
export function chooseStore(
  given: LocalForageLike | string | JournalStore | undefined,
  scheduler: SchedulerLike,
): JournalStore {
  if (given === undefined)
    return environment.hasIndexedDB() ? localforageStore(undefined, { scheduler }) : memoryStore()
  if (typeof given !== 'string' && 'append' in given) return given
  return localforageStore(given, { scheduler })
}
