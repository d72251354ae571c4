import type { JournalRecord } from '../storage/records.ts'
import type { Fact } from './facts.ts'
import type { Outbox } from './outbox.ts'
import type { Receipts } from './receipts.ts'
import { retold } from './retold.ts'
import type { OutboxState } from './state.ts'

/** Adds a record that somebody else wrote, or an earlier life, and says what it tells; `how`: `fold` where many come. */
export function replay(
  record: JournalRecord,
  into: Outbox,
  say: (fact: Fact) => void,
  how: 'commit' | 'fold' = 'commit',
): void {
  const entry = 'task' in record && typeof record.task === 'number' ? into.state.tasks.get(record.task) : undefined
  const before = entry && { entry, wasDead: entry.state === 'dead' }
  // It came back.
  if (entry && record.kind === 'retry') into.giveBack(entry)
  const fact = retold(record, before, into[how](record))
  if (fact) say(fact)
}

/** Of what happened before, only ends are news, and only to those who wait for them. */
export function newsTo(isAwaited: (taskId: string) => boolean, tell: (fact: Fact) => void): (fact: Fact) => void {
  return (fact) => {
    if (fact.is === 'ended' && isAwaited(fact.entry.id)) tell(fact)
  }
}

/** Settles what ended unseen, after a journal was read from its beginning. */
export function forgetEnded({ forget }: Receipts, { tasks, imported }: OutboxState, journal: string): void {
  forget(tasks.values(), (at) => at.journal === journal || at.lsn <= (imported.get(at.journal) ?? 0))
}
