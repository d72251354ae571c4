import { Subscription } from 'rxjs'
import type { LockManagerLike } from '../api.ts'
import { environment } from '../environment.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { Journal } from '../storage/journal.ts'
import type { JournalStore } from '../storage/journalStore.ts'
import { announce, watchDepartures } from './departures.ts'
import { importJournal } from './importJournal.ts'

export interface NeighboursConfig {
  store: JournalStore
  locks: LockManagerLike | null
  space: string
  /** This tab, as the others know it. */
  writer: string
  /** The lock that a journal's writer holds. */
  lockOf: (journal: string) => string
  /** Journals that are nobody's tab. */
  except: readonly string[]
  trouble: (error: unknown) => void
}

/** The tabs beside this one, of the same owner. */
export interface Neighbours {
  /** As long as another one leads: says that this one is there, until `close()`. */
  announce: () => void
  /** Takes in what this tab wrote while another led, and what tabs left that are gone, now or later. */
  takeOver: (into: { outbox: Outbox; journal: Journal; wake: () => void }) => Promise<void>
  /** Resolves when what is being taken in is in. */
  settled: () => Promise<unknown>
  close: () => void
}

export function createNeighbours(config: NeighboursConfig): Neighbours {
  const { store, locks, space, writer, lockOf, trouble } = config
  const alive = new Subscription()
  const imports = new Set<Promise<void>>()
  let hasFollowed = false

  function channel(until: Subscription) {
    const opened = locks && environment.channel(`rx-outbox:${space}`)
    until.add(() => opened?.close())
    return opened
  }

  return {
    announce() {
      hasFollowed = true
      if (locks) alive.add(announce(locks, channel(alive), writer, lockOf(writer)))
    },
    async takeOver({ outbox, journal, wake }) {
      const into = { outbox, journal, store, space }
      if (hasFollowed) await importJournal(writer, into, true)
      hasFollowed = false
      const journals = await store.list(space)
      const watching = new Subscription()
      alive.add(watching)
      const leaving = new AbortController()
      watching.add(() => leaving.abort())
      const watch = watchDepartures({
        locks,
        channel: channel(watching),
        lockOf,
        signal: leaving.signal,
        async gone(other) {
          const taken = importJournal(other, into, false).catch(trouble)
          imports.add(taken)
          await taken
          imports.delete(taken)
          wake()
        },
      })
      for (const name of journals) if (name !== writer && !config.except.includes(name)) watch(name)
    },
    settled: () => Promise.all(imports),
    close: () => alive.unsubscribe(),
  }
}
