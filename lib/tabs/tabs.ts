import { defer, type Observable } from 'rxjs'
import type { Settings } from '../options.ts'
import { createFreshness, type Freshness } from './freshness.ts'
import { leaderSilence } from './leaderSilence.ts'
import { leadership } from './leadership.ts'
import { createNeighbours, type Neighbours } from './neighbours.ts'
import { createRequests, type Requests } from './requests.ts'
import { createWire, type Wire } from './wire.ts'

/** Where the lsn of a follower's journal begin: beyond all that a leader's will ever have. */
const beyondLeaders = 1e15

/** This tab among all of one (name, owner). */
export interface Tabs {
  /** This tab, as the others know it. */
  writer: string
  wire: Wire
  neighbours: Neighbours
  requests: Requests
  freshness: Freshness
  /** Whether this tab leads, from now on and at each turn. */
  leads$: Observable<boolean>
  /** The lock that a journal's writer holds. */
  lockOf: (journal: string) => string
  /** The number of the next record of this tab's own journal: never one that was used before. */
  nextLsn: () => number
}

export interface TabsConfig {
  settings: Settings
  space: string
  /** It is known again who leads. */
  known: () => void
  trouble: (error: unknown) => void
}

export function createTabs({ settings, space, known, trouble }: TabsConfig): Tabs {
  const { store, locks, scheduler, leaderTimeout: timeout } = settings
  const writer = settings.createId()
  const lockOf = (journal: string) => `rx-outbox:journal:${journal}:${space}`
  const wire = createWire(locks && settings.channel(`rx-outbox:${space}`), trouble)
  let lsn = beyondLeaders
  return {
    writer,
    wire,
    lockOf,
    neighbours: createNeighbours({ store, locks, wire, space, writer, lockOf, trouble }),
    requests: createRequests(),
    freshness: createFreshness({ locks, lock: lockOf(`${writer} asks`), timeout, scheduler, known }),
    leads$: defer(() => leadership(locks, `rx-outbox:lead:${space}`, leaderSilence(wire, timeout, scheduler))),
    nextLsn: () => ++lsn,
  }
}
