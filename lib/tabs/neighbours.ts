import { Subscription } from 'rxjs'
import type { LockManagerLike } from '../api.ts'
import { StorageError } from '../errors.ts'
import type { JournalStore } from '../storage/journalStore.ts'
import { putAside, quarantine } from '../storage/quarantine.ts'
import type { Command } from '../storage/records.ts'
import { holdLock } from './holdLock.ts'
import { leaderJournals } from './leaderJournals.ts'
import { importJournal, type ImportInto } from './importJournal.ts'
import type { Wire } from './wire.ts'

export interface NeighboursConfig {
  store: JournalStore
  locks: LockManagerLike | null
  wire: Wire
  space: string
  /** This tab, as the others know it. */
  writer: string
  /** The lock that a journal's writer holds. */
  lockOf: (journal: string) => string
  trouble: (error: unknown) => void
}

export interface Lead extends Pick<ImportInto, 'outbox' | 'journal' | 'isTold' | 'isOpen'> {
  /** Does what a writer asked for, who may be gone; never rejects. */
  execute: (command: Command, writer: string, isGone: boolean) => Promise<void>
  /** The journal that this leader writes. */
  own: string
  /** Something was taken in. */
  wake: () => void
  /** There is a newer leader's journal. */
  outbid: () => void
}

/** The tabs beside this one, of the same owner. */
export interface Neighbours {
  /** While another one leads: holds the lock of this tab's journal, and says that it is there. */
  follow: () => Promise<void>
  /** Says that this tab's journal has something new. */
  wrote: () => void
  /** While this one leads: takes in what all others write, and wrote before they went. Resolves when the rest of its own is in. */
  lead: (lead: Lead) => Promise<void>
  /** Looks at all journals, as far as messages may have been lost. */
  lookAround: () => Promise<void>
  /** Whether anybody follows. */
  readonly isFollowed: boolean
  /** Resolves when what is being taken in is in. */
  settled: () => Promise<void>
  /** Neither leads nor follows any longer. */
  rest: () => void
}

export function createNeighbours(config: NeighboursConfig): Neighbours {
  const { store, locks, wire, space, writer, lockOf, trouble } = config
  const followers = new Set<string>()
  /** Writers whose journals are gone. */
  const inherited = new Set<string>()
  let role = new Subscription()
  let leading: Lead | undefined
  let hasFollowed = false
  let working: Promise<void> = Promise.resolve()
  /** Living writers that are looked at next. */
  const due = new Set<string>()

  function rest(): void {
    role.unsubscribe()
    role = new Subscription()
    leading = undefined
    followers.clear()
    due.clear()
  }

  /** One after the other: in this order their tasks are taken in. */
  function next(other: string, isGone: boolean, work: (into: ImportInto) => Promise<void>): Promise<void> {
    const lead = leading
    const done = working.then(async () => {
      if (!lead || lead !== leading) return
      await work({ ...lead, store, space, execute: (command) => lead.execute(command, other, isGone) })
      if (lead === leading) lead.wake()
    })
    working = done.catch(() => undefined)
    return done
  }

  /** A living one's journal may be half written, or not there: then it comes next time. */
  function look(other: string): void {
    if (due.has(other)) return
    due.add(other)
    void next(other, false, async (into) => {
      due.delete(other)
      await importJournal(other, into).catch(() => undefined)
    })
  }

  /** Whoever wrote it is gone: when all of it is taken in, and what cannot be read is put aside, it is removed. */
  async function inherit(other: string, into: ImportInto): Promise<void> {
    const broken = await importJournal(other, into)
    await putAside(store, space, broken)
    if (broken.length > 0)
      trouble(new StorageError(`${broken.length} records of another tab could not be read; they are kept aside.`))
    await store.remove(space, other)
    inherited.add(other)
  }

  function watch(other: string): void {
    if (followers.has(other)) return
    followers.add(other)
    const left = () => next(other, true, (into) => inherit(other, into)).catch(trouble)
    if (!locks) return void left()
    const leaving = new AbortController()
    role.add(() => leaving.abort())
    // Granted when its holder has closed or crashed; rejected when we stop looking.
    locks
      .request(lockOf(other), { signal: leaving.signal }, () => left().finally(() => followers.delete(other)))
      .catch(() => undefined)
  }

  async function lookAround(): Promise<void> {
    const lead = leading
    if (!lead) return
    const journals = await store.list(space)
    if (lead !== leading) return
    // This one leads, or has lost the lead and will hear of it: either way a newer one is not to be taken in.
    if ((leaderJournals(journals)[0] ?? lead.own) !== lead.own) return lead.outbid()
    const others = journals.filter((name) => ![lead.own, quarantine, writer].includes(name))
    // Nothing is left of which it has to be known how much of it is here.
    if (others.length === 0) for (const gone of inherited) lead.outbox.state.imported.delete(gone)
    if (others.length === 0) inherited.clear()
    for (const journal of others) {
      watch(journal)
      if (locks) look(journal)
    }
  }

  return {
    rest,
    lookAround,
    get isFollowed() {
      return followers.size > 0
    },
    settled: () => working,
    async follow() {
      rest()
      hasFollowed = true
      const here = () => wire.send({ is: 'here', writer })
      role.add(wire.messages$.subscribe(({ is }) => is === 'rollCall' && here()))
      // Before the first write: whoever gets this lock takes the journal for one that was left.
      role.add(await holdLock(locks, lockOf(writer)))
      here()
    },
    wrote: () => wire.send({ is: 'here', writer }),
    async lead(lead) {
      rest()
      leading = lead
      if (hasFollowed) await next(writer, true, (into) => inherit(writer, into))
      hasFollowed = false
      role.add(
        wire.messages$.subscribe((message) => {
          if (message.is !== 'here') return
          watch(message.writer)
          look(message.writer)
        }),
      )
      await lookAround()
      wire.send({ is: 'rollCall' })
    },
  }
}
