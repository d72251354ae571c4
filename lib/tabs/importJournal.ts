import type { Outbox } from '../outbox/outbox.ts'
import type { Journal } from '../storage/journal.ts'
import type { JournalStore } from '../storage/journalStore.ts'
import { readJournal } from '../storage/readJournal.ts'
import type { Command, Enqueued } from '../storage/records.ts'

export interface ImportInto {
  outbox: Outbox
  journal: Journal
  store: JournalStore
  space: string
  /** Does what a writer asked for; never rejects. */
  execute: (command: Command) => Promise<void>
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

  async function take(upTo: number): Promise<void> {
    const imported = { kind: 'imported', ...outbox.stamp(), writer, upTo } as const
    await journal.write([...tasks, imported], 'state')
    // Not before: a compaction that came between would know the writer, but not its tasks.
    outbox.commit(imported)
    outbox.accept(tasks, { merge: true, isTold: into.isTold })
    tasks = []
  }

  let upTo = known
  for (const record of records) {
    if (record.lsn <= known) continue
    if (record.kind === 'enqueued') tasks.push({ ...record, ...outbox.stamp() })
    else if (record.kind === 'command') {
      if (tasks.length > 0) await take(upTo)
      await into.execute(record)
      await take(record.lsn)
    } else continue
    upTo = record.lsn
  }
  if (tasks.length > 0) await take(upTo)
  return broken
}
