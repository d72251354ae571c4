import { type Observable, Subscription } from 'rxjs'
import { controlsOf } from './controls.ts'
import { createCourier } from './courier.ts'
import { ClosedError, StorageError } from './errors.ts'
import { executor } from './executor.ts'
import { openSync } from './openSync.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { Receipts } from './outbox/receipts.ts'
import { forgetEnded, newsTo, replay } from './outbox/replay.ts'
import { snapshot } from './outbox/snapshot.ts'
import { recover } from './recovery.ts'
import { emptyOutbox, openJournal, type Stage, type StageConfig } from './stage.ts'
import type { Journal } from './storage/journal.ts'
import { createMirror, type Mirror } from './storage/mirror.ts'
import type { MirrorHead } from './storage/mirrorFormat.ts'
import { putAside as keepAside, quarantine } from './storage/quarantine.ts'
import type { Sync } from './sync/sync.ts'
import { claimJournal, type ClaimedJournal } from './tabs/claimJournal.ts'
import type { Neighbours } from './tabs/neighbours.ts'
import type { LeaderJournal } from './tabs/readLeader.ts'
import type { Requests } from './tabs/requests.ts'
import { speakAsLeader } from './tabs/speakAsLeader.ts'

export interface LeadConfig extends StageConfig {
  neighbours: Neighbours
  changed$: Observable<unknown>
  /** This tab, as the others know it. */
  writer: string
  receipts: Receipts
  requests: Pick<Requests, 'done'>
  /** It takes time to begin: whether it is still this tab's turn. */
  isLeading: () => boolean
  /** What this tab wrote last as the leader it still is. */
  mine: string | undefined
  /** Somebody who is no leader began a newer journal: this one has to be the newest. */
  outbid: () => void
  /** Lanes that have events which are not stored yet. */
  unstored: () => ReadonlySet<string>
}

/** Opens the outbox of the leader: replays the journal in force, and goes on one epoch higher. */
export async function lead(config: LeadConfig): Promise<Stage> {
  const { settings, space, gates, neighbours, lockOf, mine } = config
  const claimed = await claimJournal(settings.store, space, { locks: settings.locks, lockOf, mine })
  const { found, name } = claimed
  const speaking = new Subscription()
  let isAbandoned = false
  let journal: Journal | undefined
  let mirror: Mirror | undefined
  let coming: Sync | undefined
  /** What comes in has to know what goes out. */
  const hearing: LeadConfig = {
    ...config,
    tell(fact) {
      if (fact.is === 'processing') coming?.began(fact.entry)
      config.tell(fact)
    },
    changed(lane) {
      config.changed(lane)
      if (lane) coming?.changed(lane)
    },
  }

  async function close(): Promise<void> {
    speaking.unsubscribe()
    neighbours.rest()
    await neighbours.settled()
    await journal?.close()
    await mirror?.close()
    // Whoever leads next writes it.
    await settings.store.close(space).catch(config.trouble)
    claimed.release()
  }

  try {
    const { store } = await settings.storageChoice.made
    const beside = settings.besideOf(store.kind)
    const isOurs = name === found.journal
    // What a frozen leader still writes is not to be mended.
    const { records, head } = isOurs
      ? await recover({ ...config, beside, journal: name }, found)
      : { records: found.records, head: undefined }
    const open = openJournal(config, {
      name,
      size: isOurs ? records.length : 0,
      stored: (stored) => voice.stored(stored),
    })
    journal = open
    const { outbox, changes } = replayed({ ...found, records }, head, hearing, open, () => mirror)
    const voice = speakAsLeader({ ...config, ...config.freshness, ...settings, journal: name, lsn: outbox.state.lsn })
    if (!config.isLeading()) throw new ClosedError('Another tab leads by now.')
    await begin(claimed, outbox, open, config)
    if (beside.mirror) {
      const { state } = outbox
      mirror = createMirror({ ...config, ...settings, store: beside.mirror, state, journal: open, name, head })
      for (const change of changes) mirror.changed(...change)
    }
    const { delivery, commands } = createCourier(outbox, open, config)
    const sync = openSync({ ...config, outbox, journal: open, goOn: () => delivery.wake() })
    coming = sync
    const controls = controlsOf(commands, gates, sync.pull)
    const execute = executor(controls, delivery, config)
    const isOpen = () => !isAbandoned && config.isLeading()
    const { outbid, receipts } = config
    const { wake } = delivery
    await neighbours.lead({ outbox, journal: open, own: name, wake, outbid, isTold: receipts.has, isOpen, execute })
    const news = () => ({
      sending: Array.from(outbox.state.sending, ({ lsn }) => lsn),
      pending: delivery.ready(),
      paused: gates.paused,
      unauthorized: [...gates.unauthorized],
    })
    if (settings.locks) speaking.add(voice.start(news))
    return {
      outbox,
      journal: open,
      mirror,
      delivery,
      sync,
      controls,
      close,
      pending: delivery.ready,
      stamp: outbox.stamp,
      accept(taken) {
        // What becomes of a task is no longer for it to say, once another one leads.
        if (!isAbandoned) outbox.accept(taken, { merge: config.isLeading() })
      },
      abandon: () => void (isAbandoned = true),
    }
  } catch (error) {
    // The next try opens it anew.
    await close()
    throw error
  }
}

type Change = Parameters<Mirror['changed']>

/** What the journal means, one epoch higher; and what of it the mirror has not seen. */
function replayed(
  { records, journal: inForce }: LeaderJournal,
  head: MirrorHead | undefined,
  config: LeadConfig,
  journal: Journal,
  mirror: () => Mirror | undefined,
): { outbox: Outbox; changes: Change[] } {
  const changes: Change[] = []
  const outbox = emptyOutbox(config, journal.note, (...change) => {
    const open = mirror()
    if (open) open.changed(...change)
    else if (head && change[0].lsn > head.opened.lsn) changes.push(change)
  })
  const { receipts, tell } = config
  const say = newsTo(receipts.has, tell)
  for (const record of records) replay(record, outbox, say, 'fold')
  forgetEnded(receipts, outbox.state, inForce)
  outbox.state.epoch += 1
  for (const entry of outbox.state.tasks.values()) {
    // Where a retry came behind it, it is written again first.
    if (entry.mark) entry.mark.durable = entry.inDoubt
    if (entry.expiresAt !== undefined && entry.state !== 'dead') outbox.expiring.set(entry)
  }
  outbox.refreshAll()
  return { outbox, changes }
}

/** Says in the journal that somebody new leads. */
async function begin(
  { found, name }: ClaimedJournal,
  outbox: Outbox,
  journal: Journal,
  config: StageConfig,
): Promise<void> {
  const { state } = outbox
  state.id ??= config.settings.createId()
  if (name === found.journal) journal.note({ kind: 'opened', ...outbox.stamp(), id: state.id })
  else {
    // Whoever writes that one is frozen. What it says from now on counts no more, but for tasks that it takes in.
    const upTo = state.lsn
    outbox.commit({ kind: 'imported', ...outbox.stamp(), writer: found.journal, upTo })
    await journal.compact(() => snapshot(state, config.owner))
  }
  await putAside(found.broken, journal, config, outbox)
  reportUnknown(outbox, config)
}

/** What cannot be read is kept aside, and the journal goes on without it. */
async function putAside(broken: Uint8Array[], journal: Journal, config: StageConfig, outbox: Outbox): Promise<void> {
  if (broken.length === 0) return
  const { settings, space, owner, trouble } = config
  await keepAside(settings.store, space, broken)
  trouble(new StorageError(`${broken.length} records could not be read; they are kept aside in "${quarantine}".`))
  // Where it fails, they are put aside once more next time.
  await journal.compact(() => snapshot(outbox.state, owner)).catch(() => undefined)
}

function reportUnknown({ state }: Outbox, { settings, trouble }: StageConfig): void {
  const newest = new Map<string, number>()
  for (const { lane, schemaVersion } of state.tasks.values())
    newest.set(lane.entityType, Math.max(schemaVersion, newest.get(lane.entityType) ?? 0))
  for (const [type, version] of newest) {
    if (settings.strategyOf(type) === undefined)
      trouble(new StorageError(`Tasks of ${type} are parked: there is no strategy for it.`))
    else if (version > settings.schemaVersion)
      trouble(new StorageError(`Tasks of ${type} are parked: they are of version ${version}, newer than this app.`))
  }
}
