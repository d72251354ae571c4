import localforage from 'localforage'
import { BehaviorSubject, filter, firstValueFrom, of } from 'rxjs'
import {
  createPersistence,
  localforageStore,
  opfsStore,
  type Persistence,
  type PersistenceStrategy,
  type TaskResult,
} from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'
import { described, values } from './values.ts'

/** The smallest app there is: no view, all of it on `window.bare`. Tests choose its options in the address. */
export interface Bare {
  outbox: Persistence<Entities>
  /** Who is signed in; nobody in particular at first. */
  owner$: BehaviorSubject<string>
  /** Every result since the page was opened. */
  results: TaskResult[]
  /** Everything that came on `errors$`. */
  errors: string[]
  /** What the strategies that stay in the page were given, in order. */
  lines: Line[]
  things: Thing[]
  /** Resolves when all that was taken in has ended, and is written. */
  drained: () => Promise<void>
  /** The journals there are: the leader's, and those of tabs whose tasks no leader has taken over yet. */
  journals: () => Promise<string[]>
  values: typeof values
  described: typeof described
}

export interface Note {
  id: string
  text: string
}

export interface Line {
  id: string
}

/** Holds whatever can be stored. */
export interface Thing {
  id: string
  value: unknown
}

/** Notes go to the demo's server; the others are answered within the call. */
interface Entities {
  note: Note
  line: Line
  thing: Thing
}

declare global {
  interface Window {
    bare: Bare
  }
}

const wanted = new URLSearchParams(location.search)
const number = (name: string, usual: number) => Number(wanted.get(name) ?? usual)
const lines: Line[] = []
const things: Thing[] = []
const results: TaskResult[] = []
const errors: string[] = []

/** Answers before the call returns; deletes are not used. */
function atOnce<T>(delivered: T[]): PersistenceStrategy<T> {
  const take = ({ data }: { data: T }) => {
    delivered.push(data)
    return of({})
  }
  return { persistCreate: take, persistUpdate: take, persistDelete: () => of({}) }
}

const drivers: Record<string, string> = { indexedDB: localforage.INDEXEDDB, localStorage: localforage.LOCALSTORAGE }
const driver = drivers[wanted.get('driver') ?? '']

const owner$ = new BehaviorSubject('')

const outbox = createPersistence<Entities>({
  strategies: {
    note: restStrategy<Note>({ url: '/api/notes', pull: false, headers: ({ owner }) => ({ 'x-owner': owner }) }),
    line: atOnce(lines),
    thing: atOnce(things),
  },
  options: {
    owner: owner$,
    storage: driver,
    durability: wanted.has('strict') ? 'strict' : 'relaxed',
    concurrency: number('concurrency', 1),
    leaderTimeout: number('leaderTimeout', 90_000),
    // Patient: what is tested is that everything arrives, not when it is given up.
    retryConfig: {
      maxRetries: number('retries', 100),
      initialDelay: number('retry', 20),
      multiplier: 1.5,
      maxDelay: 200,
    },
    breaker: { failures: 5, delay: number('retry', 20), maxDelay: 200 },
    ...(wanted.has('offline') && { online$: of(false) }),
  },
})
outbox.results$.subscribe((result) => results.push(result))
outbox.errors$.subscribe((error) => errors.push(String(error)))

async function drained(): Promise<void> {
  const isEmpty = filter((status: { phase: string; pending: number; processing: number; waiting: number }) => {
    return status.phase === 'running' && status.pending + status.processing + status.waiting === 0
  })
  await outbox.idle()
  await firstValueFrom(outbox.status$.pipe(isEmpty))
  await outbox.idle()
}

const journals = () => (driver ? localforageStore(driver) : opfsStore()).list(`rx-outbox/${owner$.value}`)

window.bare = { outbox, owner$, results, errors, lines, things, drained, journals, values, described }
