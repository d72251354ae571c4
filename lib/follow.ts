import { Subscription } from 'rxjs'
import { environment } from './environment.ts'
import { laneKey } from './outbox/lane.ts'
import type { Receipts } from './outbox/receipts.ts'
import { emptyOutbox, openJournal, type Stage, type StageConfig } from './stage.ts'
import { isInUse } from './sync/placeOf.ts'
import type { Row } from './sync/readRow.ts'
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
  /** Lanes that have events which are not stored yet. */
  unstored: () => ReadonlySet<string>
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
  let leader: string | undefined
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

  open.add(environment.focus$().subscribe(() => wire.send({ is: 'focus' })))
  open.add(
    wire.messages$.subscribe((message) => {
      if (message.is === 'done' && message.writer === writer) requests.done(message.command, message)
      if (message.is === 'remote') hearOfRemote(message.entityType, message.rows)
      if (message.is !== 'leading' && message.is !== 'stored') return
      replica.hear(message)
      if (message.is === 'leading') {
        pending = message.pending
        if (leader !== undefined && leader !== message.journal) requests.leaderLeft()
        leader = message.journal
        gates.follow(message)
      }
      config.changed()
    }),
  )

  /** Of what waits here the leader may not know yet. */
  function hearOfRemote(entityType: string, rows: readonly Row[]): void {
    const { lanes } = replica.outbox.state
    const unstored = config.unstored()
    const isFree = ({ id }: Row) => {
      const key = laneKey(entityType, id)
      const lane = lanes.get(key)
      return !unstored.has(key) && !(lane && isInUse(lane))
    }
    config.remote(entityType, rows.filter(isFree), lanes)
  }

  async function close(): Promise<void> {
    requests.leaderLeft()
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
    sync: undefined,
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
