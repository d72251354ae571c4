import { defer, firstValueFrom, type SchedulerLike, timeout } from 'rxjs'
import type { LocalForageLike } from '../api.ts'
import { environment } from '../environment.ts'
import { chosenStore } from './chosenStore.ts'
import type { JournalStore } from './journalStore.ts'
import { localforageStore } from './localforage.ts'
import { memoryStore } from './memory.ts'
import { opfsStore } from './opfs.ts'
import { storageFailure } from './storageFailure.ts'

/** Milliseconds that a store may take to show that it works. */
const patience = 10_000

export interface StoreWishes {
  durability: 'relaxed' | 'strict'
  workerUrl: string | URL | undefined
  scheduler: SchedulerLike
}

/** Where this instance keeps its journals. */
export interface StoreChoice {
  /** To be used at once: where the choice is not made yet, its calls wait for it. */
  store: JournalStore
  /** The store that was chosen, and why it is no better one; never rejects. */
  made: Promise<{ store: JournalStore; why?: string }>
  /** Whether the browser promised to keep what is stored; it was asked to if the library chose the store. */
  persisted: Promise<boolean | undefined>
  /** Other stores of this origin, in which an earlier run may have left journals. Whoever asks closes them. */
  others: () => Promise<JournalStore[]>
}

interface Candidate {
  store: JournalStore
  /** Rejects where it does not work. */
  attempt: () => Promise<unknown>
}

/** The store that was asked for, or the best that works: OPFS, localforage on IndexedDB, memory. */
export function chooseStore(
  given: LocalForageLike | string | JournalStore | undefined,
  wishes: StoreWishes,
): StoreChoice {
  if (given !== undefined) {
    const isStore = typeof given !== 'string' && 'append' in given
    const store = isStore ? given : localforageStore(given, wishes)
    return choice(store, Promise.resolve({ store }), false, [])
  }
  const missing: string[] = []
  const candidates: Candidate[] = []
  if (environment.hasOpfs()) {
    const store = opfsStore(wishes)
    candidates.push({ store, attempt: store.try })
  } else missing.push('There is no OPFS here; it needs HTTPS.')
  if (environment.hasIndexedDB()) {
    const store = localforageStore(undefined, wishes)
    candidates.push({ store, attempt: () => store.list('') })
  } else missing.push('There is no IndexedDB here.')
  const others = candidates.map(({ store }) => store)
  if (candidates.length === 0) {
    const store = memoryStore()
    return choice(store, Promise.resolve({ store, why: sentences(missing) }), false, others)
  }
  const made = firstThatWorks(candidates, missing, wishes.scheduler)
  return choice(chosenStore(made.then(({ store }) => store)), made, true, others)
}

async function firstThatWorks(candidates: Candidate[], reasons: string[], scheduler: SchedulerLike) {
  for (const { store, attempt } of candidates) {
    try {
      await firstValueFrom(defer(attempt).pipe(timeout({ first: patience, scheduler })))
      return because(store, reasons)
    } catch (cause) {
      reasons.push(`${store.kind}: ${storageFailure('Opening it', cause).message}`)
      void store.close().catch(() => undefined)
    }
  }
  return because(memoryStore(), reasons)
}

const because = (store: JournalStore, reasons: string[]) =>
  reasons.length > 0 ? { store, why: sentences(reasons) } : { store }

const sentences = (texts: string[]) => texts.map((text) => text.replace(/\.?$/, '.')).join(' ')

function choice(store: JournalStore, made: StoreChoice['made'], ask: boolean, all: JournalStore[]): StoreChoice {
  return {
    store,
    made,
    persisted: made.then((chosen) =>
      chosen.store.durability === 'none' ? undefined : environment.persisted(ask).catch(() => undefined),
    ),
    async others() {
      const chosen = await made
      return all.filter((other) => other !== chosen.store)
    },
  }
}
