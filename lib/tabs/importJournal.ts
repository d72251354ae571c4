import { ClosedError } from '../errors.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { Journal } from '../storage/journal.ts'
import type { JournalStore } from '../storage/journalStore.ts'
import { isLeaders } from './leaderJournals.ts'
import { readJournal } from '../storage/readJournal.ts'
import type { Command, Enqueued, Imported } from '../storage/records.ts'

export interface ImportInto {
  outbox: Outbox
  journal: Journal
  store: JournalStore
  space: string
  /** Does what a writer asked for; never rejects. */
  execute: (command: Command) => Promise<void>
  /** Whether this outbox still counts: what comes back too late is the next leader's. */
  isOpen: () => boolean
  /** Whether this tab has told of a task already: it was its own. */
  isTold: (taskId: string) => boolean
}

/**
 * Takes over what another writer's journal holds beyond what was taken before: its tasks are appended to the leader's
 * together with a durable `imported`, then enter their lanes; its commands are carried out where they stand between
 * them. Repeating it after a crash takes no task twice. Resolves with the bytes that mean nothing.
 */
export async function importJournal(writer: string, into: ImportInto): Promise<Uint8Array[]> {
  const { outbox, journal, store, space } = into
  const { records, broken } = await readJournal(store, space, writer)
  const [first] = records
  // A leader's journal begins with what it took over: that was never its own.
  const known = outbox.state.imported.get(writer) ?? (first?.kind === 'opened' ? first.lsn : 0)
  let tasks: Enqueued[] = []

  function refuseIfOver(): void {
    if (!into.isOpen()) throw new ClosedError('Another tab leads by now.')
  }

  async function take(upTo: number): Promise<void> {
    // What was written and not taken in before would be written twice.
    refuseIfOver()
    const marks: Imported[] = []
    for (const [from, last] of [...origins(tasks), [writer, upTo] as const])
      marks.push({ kind: 'imported', ...outbox.stamp(), writer: from, upTo: last })
    await journal.write([...tasks, ...marks], 'state')
    refuseIfOver()
    // Not before: a compaction that came between would know the writer, but not its tasks.
    for (const mark of marks) outbox.commit(mark)
    outbox.accept(tasks, { merge: true, isTold: into.isTold })
    tasks = []
  }

  /** A leader that was replaced may have taken it in, too late: from its own writer it is here already. */
  function isHere({ from, fromLsn = 0 }: Enqueued): boolean {
    return from !== undefined && fromLsn <= (outbox.state.imported.get(from) ?? 0)
  }

  /** The writer led before, and what it took in then has to come first. */
  function isMissing({ writer: from, upTo: last }: Imported): boolean {
    return isLeaders(from) && from !== journal.name && (outbox.state.imported.get(from) ?? 0) < last
  }

  let upTo = known
  for (const record of records) {
    if (record.lsn <= known) continue
    if (record.kind === 'enqueued') {
      if (isHere(record)) continue
      const { from = writer, fromLsn = record.lsn } = record
      tasks.push({ ...record, ...outbox.stamp(), from, fromLsn })
    } else if (record.kind === 'imported' && isMissing(record)) {
      if (tasks.length > 0) await take(upTo)
      await importJournal(record.writer, into)
      continue
    } else if (record.kind === 'command') {
      if (tasks.length > 0) await take(upTo)
      await into.execute(record)
      await take(record.lsn)
    } else continue
    upTo = record.lsn
  }
  if (tasks.length > 0) await take(upTo)
  return broken
}

/** Up to which lsn of which writers these tasks are, as far as they came by way of another leader. */
function origins(tasks: readonly Enqueued[]): Map<string, number> {
  const upTo = new Map<string, number>()
  for (const { from, fromLsn = 0 } of tasks)
    if (from !== undefined) upTo.set(from, Math.max(fromLsn, upTo.get(from) ?? 0))
  return upTo
}
