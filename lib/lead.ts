import { type Observable, Subscription } from 'rxjs'
import { type Controls, controlsOf, isOfTasks, obey } from './controls.ts'
import { createAttempts } from './delivery/attempt.ts'
import { createDeadlines } from './delivery/deadlines.ts'
import { createDelivery, type Delivery } from './delivery/delivery.ts'
import { StorageError } from './errors.ts'
import { createCommands } from './outbox/commands.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { Receipts } from './outbox/receipts.ts'
import { forgetEnded, newsTo, replay } from './outbox/replay.ts'
import { snapshot } from './outbox/snapshot.ts'
import { emptyOutbox, openJournal, type Stage, type StageConfig } from './stage.ts'
import type { Journal } from './storage/journal.ts'
import { quarantine } from './storage/readJournal.ts'
import { encodeValue } from './storage/value.ts'
import { claimJournal, type ClaimedJournal } from './tabs/claimJournal.ts'
import type { Lead, Neighbours } from './tabs/neighbours.ts'
import type { LeaderJournal } from './tabs/readLeader.ts'
import { speakAsLeader } from './tabs/speakAsLeader.ts'

export interface LeadConfig extends StageConfig {
  neighbours: Neighbours
  changed$: Observable<unknown>
  /** This tab, as the others know it. */
  writer: string
  receipts: Receipts
  /** A command of this tab's own was carried out. */
  done: (command: number, result: { taskId?: string; error?: string }) => void
  /** This tab runs. */
  beat: () => void
}

/** Opens the outbox of the leader: replays the journal in force, and goes on one epoch higher. */
export async function lead(config: LeadConfig): Promise<Stage> {
  const { settings, gates, neighbours } = config
  const claimed = await claimJournal(settings.store, config.space, { locks: settings.locks, lockOf: config.lockOf })
  const { found, name, release } = claimed
  const voice = speakAsLeader({ ...config, ...settings, journal: name })
  const size = name === found.journal ? found.records.length : 0
  const journal = openJournal(config, { name, size, stored: voice.stored })
  const outbox = replayed(found, config, journal)
  const speaking = new Subscription()

  async function close(): Promise<void> {
    speaking.unsubscribe()
    neighbours.rest()
    await neighbours.settled()
    await journal.close()
    release()
  }

  try {
    await begin(claimed, outbox, journal, config)
    const delivery = deliveryOf(outbox, journal, config)
    const controls = controlsOf(commandsOf(outbox, journal, config), gates)
    const execute = executor(controls, delivery, config)
    await neighbours.lead({ outbox, journal, own: name, wake: delivery.wake, isTold: config.receipts.has, execute })
    const news = () => ({
      sending: Array.from(outbox.state.sending, ({ lsn }) => lsn),
      pending: delivery.ready(),
      paused: gates.paused,
      unauthorized: [...gates.unauthorized],
    })
    if (settings.locks) speaking.add(voice.start(news))
    return {
      outbox,
      journal,
      delivery,
      controls,
      close,
      pending: delivery.ready,
      stamp: outbox.stamp,
      accept: (records) => outbox.accept(records, { merge: true }),
    }
  } catch (error) {
    // The next try opens it anew.
    await close()
    throw error
  }
}

/** What the journal means, one epoch higher. */
function replayed(found: LeaderJournal, config: LeadConfig, journal: Journal): Outbox {
  const outbox = emptyOutbox(config, journal.note)
  const say = newsTo(config.receipts.has, config.tell)
  for (const record of found.records) replay(record, outbox, say)
  forgetEnded(config.receipts, outbox.state, found.journal)
  outbox.state.epoch += 1
  for (const entry of outbox.state.tasks.values()) {
    if (entry.mark) entry.mark.durable = true
    if (entry.expiresAt !== undefined && entry.state !== 'dead') outbox.expiring.set(entry)
  }
  outbox.refreshAll()
  return outbox
}

/** Says in the journal that somebody new leads. */
async function begin(
  { found, name }: ClaimedJournal,
  outbox: Outbox,
  journal: Journal,
  config: StageConfig,
): Promise<void> {
  const { state } = outbox
  if (name === found.journal) journal.note({ kind: 'opened', ...outbox.stamp() })
  else {
    // Whoever writes that one is frozen. What it says from now on counts no more, but for tasks that it takes in.
    outbox.commit({ kind: 'imported', ...outbox.stamp(), writer: found.journal, upTo: state.lsn })
    await journal.compact(() => snapshot(state, config.owner))
  }
  await putAside(found.broken, journal, config, outbox)
  reportUnknown(outbox, config)
}

function deliveryOf(outbox: Outbox, journal: Journal, config: StageConfig): Delivery {
  const { settings, owner, gates, views, isOnline, mayGo } = config
  const deadlines = createDeadlines(settings.attemptTimeout, settings.scheduler)
  const attempts = createAttempts({
    owner,
    deadlines,
    metadataOf: ({ lane }) => views.metadata(lane) ?? { syncStatus: 'syncing', retryCount: 0, maxRetries: 0 },
    operatorOf: (entityType) => settings.operatorsOf(entityType)?.attempt,
    async saveProgress(entry, value) {
      const data = encodeValue(value, 'progress')
      const record = { kind: 'progress', ...outbox.stamp(), task: entry.lsn, data } as const
      outbox.commit(record)
      await journal.write([record], 'state')
    },
  })
  return createDelivery({
    ...settings,
    outbox,
    journal,
    deadlines,
    attempts,
    isOnline,
    mayGo,
    isAuthorized: (entityType) => !gates.unauthorized.has(entityType),
    authRequired: gates.close,
  })
}

function commandsOf(outbox: Outbox, journal: Journal, { settings, owner }: StageConfig) {
  const { createId, scheduler, strategyOf } = settings
  return createCommands({
    outbox,
    journal,
    owner,
    createId,
    now: () => scheduler.now(),
    keyWindowOf: (entityType) => strategyOf(entityType)?.keyWindow ?? Infinity,
  })
}

/** Does what the journals of other tabs ask for, and says what came of it. */
function executor(controls: Controls, delivery: Delivery, { writer: self, wire, done }: LeadConfig): Lead['execute'] {
  return async (command, writer, isGone) => {
    const isOwn = writer === self
    if (isGone && !isOwn && !isOfTasks(command)) return
    const result = await obey(controls, command).then(
      (taskId) => (taskId === undefined ? {} : { taskId }),
      (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
    )
    if (isOwn) done(command.lsn, result)
    else wire.send({ is: 'done', writer, command: command.lsn, ...result })
    delivery.wake()
  }
}

/** What cannot be read is kept aside, and the journal goes on without it. */
async function putAside(broken: Uint8Array[], journal: Journal, config: StageConfig, outbox: Outbox): Promise<void> {
  if (broken.length === 0) return
  const { settings, space, owner, trouble } = config
  for (const bytes of broken) await settings.store.append(space, quarantine, bytes)
  trouble(new StorageError(`${broken.length} records could not be read; they are kept aside in "${quarantine}".`))
  // Where it fails, they are put aside once more next time.
  await journal.compact(() => snapshot(outbox.state, owner)).catch(() => undefined)
}

function reportUnknown({ state }: Outbox, { settings, trouble }: StageConfig): void {
  const types = new Set(Array.from(state.tasks.values(), ({ lane }) => lane.entityType))
  for (const type of types) {
    if (settings.strategyOf(type) === undefined)
      trouble(new StorageError(`Tasks of ${type} are parked: there is no strategy for it.`))
  }
}
