import { Subscription } from 'rxjs'
import type { Receipts } from './outbox/receipts.ts'
import { emptyOutbox, openJournal, type Stage, type StageConfig } from './stage.ts'
import type { Journal } from './storage/journal.ts'
import type { Neighbours } from './tabs/neighbours.ts'
import { readLeader } from './tabs/readLeader.ts'
import { createReplica } from './tabs/replica.ts'
import type { Requests } from './tabs/requests.ts'

export interface FollowConfig extends StageConfig {
  neighbours: Neighbours
  receipts: Receipts
  /** This tab, as the others know it. */
  writer: string
  /** The number of the next record of its journal: never one that was used before. */
  nextLsn: () => number
  requests: Requests
  /** What it wrote last as a leader. */
  ledIn: Pick<Journal, 'name' | 'lsn'> | undefined
}

/** Records after which a journal whose every record was taken in is begun anew. */
const long = 256

/** Opens the outbox of a tab that does not lead: it sees what the leader has stored, and writes a journal of its own. */
export async function follow(config: FollowConfig): Promise<Stage> {
  const { settings, space, writer, wire, neighbours, receipts, gates, requests, ledIn } = config
  const open = new Subscription()
  let pending = 0
  let isAbandoned = false
  await neighbours.follow()
  const journal = openJournal(config, { name: writer, size: 0, stored: () => neighbours.wrote() })
  const replica = createReplica({
    writer,
    create: () => emptyOutbox(config, () => undefined),
    read: () => readLeader(settings.store, space),
    tell: config.tell,
    receipts,
    imported(upTo) {
      requests.imported(upTo)
      // Where it fails, the journal tells, and is read once more than needed.
      if (replica.own.size > 0 || journal.size < long) return
      journal.compact(() => [...replica.own.values(), ...requests.records()]).catch(() => undefined)
    },
    trouble: config.trouble,
  })

  open.add(
    wire.messages$.subscribe((message) => {
      if (message.is === 'done' && message.writer === writer) requests.done(message.command, message)
      if (message.is !== 'leading' && message.is !== 'stored') return
      replica.hear(message)
      if (message.is === 'leading') {
        pending = message.pending
        gates.follow(message)
      }
      config.changed()
    }),
  )

  async function close(): Promise<void> {
    await journal.close()
    await settings.store.close(space).catch(config.trouble)
    neighbours.rest()
    open.unsubscribe()
  }

  try {
    await replica.catchUp()
  } catch (error) {
    // The next try opens it anew: this one must not go on listening.
    await close()
    throw error
  }
  const stamp = () => ({ lsn: config.nextLsn(), epoch: replica.outbox.state.epoch })
  // What this tab took in when it had lost the lead and did not know comes before what it takes in now.
  if (ledIn) journal.note({ kind: 'imported', ...stamp(), writer: ledIn.name, upTo: ledIn.lsn })

  requests.open({
    stamp,
    write: (record) => journal.write([record], 'enqueue'),
    retryOf(taskId) {
      for (const { id, retryOf } of replica.outbox.state.tasks.values()) if (retryOf === taskId) return id
      return undefined
    },
  })

  return {
    get outbox() {
      return replica.outbox
    },
    journal,
    delivery: undefined,
    mirror: undefined,
    controls: requests.controls,
    pending: () => pending + replica.own.size,
    stamp,
    accept(taken) {
      if (!isAbandoned) replica.accept(taken)
    },
    abandon: () => void (isAbandoned = true),
    close,
  }
}
