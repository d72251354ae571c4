import type { Fact } from '../outbox/facts.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { Receipts } from '../outbox/receipts.ts'
import { forgetEnded, newsTo, replay } from '../outbox/replay.ts'
import type { Enqueued, JournalRecord } from '../storage/records.ts'
import type { TabMessage } from './tabMessage.ts'

export interface ReplicaConfig {
  /** The writer whose own tasks are shown until the leader has taken them in. */
  writer: string
  /** An empty outbox. */
  create: () => Outbox
  /** What the leader's journal holds now. */
  read: () => Promise<{ journal: string; records: JournalRecord[] }>
  tell: (fact: Fact) => void
  receipts: Receipts
  /** The leader has taken in what this tab wrote, up to that lsn. */
  imported: (upTo: number) => void
  trouble: (error: unknown) => void
}

/** A follower's picture of the leader's outbox: read from its journal, kept up by what the leader says it stored. */
export interface Replica {
  readonly outbox: Outbox
  /** Own tasks that are stored, and that no leader has taken in yet. */
  readonly own: ReadonlyMap<string, Enqueued>
  /** Reads the leader's journal anew. */
  catchUp: () => Promise<void>
  /** What the leader says; where something before it was missed, the journal is read. */
  hear: (message: Extract<TabMessage, { is: 'leading' | 'stored' }>) => void
  /** Shows own tasks, that are stored now. */
  accept: (records: readonly Enqueued[]) => void
}

export function createReplica(config: ReplicaConfig): Replica {
  const { writer, create, tell, receipts } = config
  const own = new Map<string, Enqueued>()
  let outbox = create()
  let journal = ''
  /** All records of the leader's journal up to this lsn are in the outbox. */
  let position = 0
  /** Tasks shown as in flight. */
  let shown: readonly number[] = []
  let reading: Promise<void> | undefined

  /** An own task is shown as soon as it is stored; from now on it is the leader's. */
  function forget(taskId: string, from: Outbox): void {
    const record = own.get(taskId)
    if (!record) return
    own.delete(taskId)
    from.commit({
      kind: 'ended',
      lsn: record.lsn,
      epoch: from.state.epoch,
      task: record.lsn,
      outcome: 'discarded',
      at: 0,
    })
  }

  function apply(record: JournalRecord, into: Outbox, say: (fact: Fact) => void, how?: 'fold'): void {
    const isOwn = record.kind === 'enqueued' && own.has(record.id)
    if (isOwn) forget(record.id, into)
    replay(record, into, isOwn ? () => undefined : say, how)
    if (record.lsn > position) position = record.lsn
    if (record.kind === 'imported' && record.writer === writer) config.imported(record.upTo)
  }

  async function load(): Promise<void> {
    const found = await config.read()
    const next = create()
    const say = newsTo(receipts.has, tell)
    position = 0
    for (const record of found.records) apply(record, next, say, 'fold')
    journal = found.journal
    const upTo = next.state.imported.get(writer) ?? 0
    for (const [taskId, record] of own) {
      if (record.lsn <= upTo) own.delete(taskId)
      else next.commit({ ...record, epoch: next.state.epoch })
    }
    outbox = next
    shown = []
    next.refreshAll()
    forgetEnded(receipts, next.state, journal)
  }

  function catchUp(): Promise<void> {
    return (reading ??= load().finally(() => (reading = undefined)))
  }

  function missed(): void {
    catchUp().catch(config.trouble)
  }

  /** Which tasks are in flight is in no journal. */
  function showSending(now: readonly number[]): void {
    const { tasks } = outbox.state
    for (const lsn of shown) {
      const entry = tasks.get(lsn)
      if (entry && !now.includes(lsn)) outbox.giveBack(entry)
    }
    for (const lsn of now) {
      const entry = tasks.get(lsn)
      if (entry?.state === 'waiting') outbox.begin(entry)
    }
    shown = now
  }

  return {
    get outbox() {
      return outbox
    },
    own,
    catchUp,
    hear(message) {
      if (reading) return
      if (message.journal !== journal) return missed()
      if (message.is === 'leading') {
        if (message.lsn > position) return missed()
        return showSending(message.sending)
      }
      if (message.after > position) return missed()
      for (const record of message.records) if (record.lsn > position) apply(record, outbox, tell)
    },
    accept(records) {
      for (const record of records) {
        own.set(record.id, record)
        const entry = outbox.commit({ ...record, epoch: outbox.state.epoch })
        if (entry) tell({ entry, is: 'enqueued' })
      }
    },
  }
}
