import type { Outbox } from '../outbox/outbox.ts'
import type { Journal } from '../storage/journal.ts'
import type { JournalStore } from '../storage/journalStore.ts'
import { readJournal } from '../storage/readJournal.ts'
import type { Enqueued, JournalRecord } from '../storage/records.ts'

/**
 * Takes the tasks of another writer's journal over: appended to the leader's with a durable `imported`, then into their
 * lanes, and only then removed there. Repeating it after a crash takes nothing twice.
 */
export async function importJournal(
  writer: string,
  into: { outbox: Outbox; journal: Journal; store: JournalStore; space: string },
  told: boolean,
): Promise<void> {
  const { outbox, journal, store, space } = into
  const { records } = await readJournal(store, space, writer)
  const known = outbox.state.imported.get(writer) ?? 0
  const tasks = records.flatMap((record): Enqueued[] =>
    record.kind === 'enqueued' && record.lsn > known ? [{ ...record, ...outbox.stamp() }] : [],
  )
  if (tasks.length > 0) {
    const upTo = records.reduce((lsn, record) => Math.max(lsn, record.lsn), known)
    const imported: JournalRecord = { kind: 'imported', ...outbox.stamp(), writer, upTo }
    await journal.write([...tasks, imported], 'state')
    // Not before: a compaction that came between would know the writer, but not its tasks.
    outbox.commit(imported)
    outbox.accept(tasks, { merge: true, told })
  }
  await store.remove(space, writer)
}
