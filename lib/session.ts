import { defer, filter, firstValueFrom, merge, type Observable, race, Subject, Subscription, tap } from 'rxjs'
import { createDoor, type Draft, eventOf } from './door.ts'
import { ClosedError } from './errors.ts'
import { follow } from './follow.ts'
import { createGates, type Gates } from './gates.ts'
import { createIntake } from './intake.ts'
import { lead } from './lead.ts'
import { longTimer } from './operators/longTimer.ts'
import type { Settings } from './options.ts'
import { createCompaction } from './outbox/compaction.ts'
import type { Lane } from './outbox/lane.ts'
import type { Fact } from './outbox/facts.ts'
import type { OpenReceipt, Receipts } from './outbox/receipts.ts'
import { createPipelines } from './pipelines.ts'
import type { StorageNews } from './recovery.ts'
import { sealedSettings } from './sealedSettings.ts'
import { spaceOf } from './space.ts'
import type { Stage } from './stage.ts'
import type { Journal } from './storage/journal.ts'
import { patience } from './storage/patience.ts'
import type { Views } from './sync/metadata.ts'
import type { TellRemote } from './sync/remoteNews.ts'
import { takeTurns } from './takeTurns.ts'
import { createTabs } from './tabs/tabs.ts'

export interface SessionConfig {
  settings: Settings
  owner: string
  receipts: Receipts
  views: Views
  isOnline: () => boolean
  /** Whether delivery begins paused. */
  paused: boolean
  tell: (fact: Fact) => void
  remote: TellRemote
  authRequired: (entityType: string) => void
  trouble: (error: unknown) => void
  /** Storage fails, or works again (`undefined`). */
  storage: (error: unknown) => void
  recovery: (news: StorageNews) => void
}

/** One owner's life in this tab: opens the journal, takes events in, delivers while it leads. */
export interface Session {
  readonly owner: string
  readonly views: Views
  readonly gates: Gates
  /** Something that a stream shows may have changed. */
  readonly changed$: Observable<Lane | undefined>
  readonly stage: Stage | undefined
  /** Events that are not stored yet. */
  readonly unstored: number
  accept: (draft: Draft, receipt: OpenReceipt) => void
  /** A bus event: it goes through the `events` operators of its type first. */
  acceptEvent: (draft: Draft) => void
  /** Resolves with what is open now, or as soon as it is. */
  opened: () => Promise<Stage>
  /** What gates delivery may have changed. */
  wake: () => void
  /** Nothing could go now, nothing is in flight, everything is written. */
  idle: () => Promise<void>
  close: () => Promise<void>
}

export function createSession(config: SessionConfig): Session {
  const { owner, receipts, trouble } = config
  const { scheduler } = config.settings
  const space = spaceOf(config.settings.name, owner)
  const { settings, isOutdated } = sealedSettings(config.settings, owner, space)
  const changed$ = new Subject<Lane | undefined>()
  const changed = () => changed$.next(undefined)
  const again$ = new Subject<boolean>()
  const door = createDoor(settings)
  /** Ends first at close: what is in flight is aborted. */
  let delivering = new Subscription()
  let stage: Stage | undefined
  let entering: Promise<void> = Promise.resolve()
  let isLeading = false
  /** Turns that came so far, and the one in which the stage was opened: it delivers in that one only. */
  let turns = 0
  let entered = 0
  /** The journal that this tab writes as the leader. */
  let mine: string | undefined
  /** The one that it wrote last. */
  let ledIn: Journal | undefined
  /** It is on its way out: it delivers no more. */
  let leaving = false
  let [failing, closed] = [false, false]

  const gates = createGates({ paused: config.paused, changed: wake, authRequired: config.authRequired })
  const tabs = createTabs({ settings, space, known: wake, trouble })
  const { freshness, requests } = tabs
  const intake = createIntake({ settings, owner, receipts, stage: () => stage, changed })
  const pipelines = createPipelines({
    operatorsOf: settings.operatorsOf,
    accept: (event) => intake.accept(door(event.operation, { ...event })),
    trouble,
  })
  const compaction = createCompaction({
    scheduler,
    owner,
    open: () => stage?.delivery && { journal: stage.journal, state: stage.outbox.state },
    isBusy,
    isOutdated,
  })

  const stageConfig = {
    ...config,
    ...tabs,
    settings,
    space,
    gates,
    changed$,
    isBusy,
    unstored: intake.unstoredLanes,
    outbid: () => void freshness.awake().then(() => isLeading && again$.next(true)),
    mayGo: () => isLeading && !gates.paused && config.isOnline() && freshness.isFresh(),
    changed(lane?: Lane) {
      changed$.next(lane)
      if (!lane) compaction.check()
    },
  }

  async function enter(leads: boolean): Promise<void> {
    const own = turns
    const isTurn = () => own === turns
    // By now another turn waits behind this one, or its stage is open already.
    if (closed || leads !== isLeading || entered === own) return
    const previous = stage
    // Until the next one is open, events wait.
    stage = undefined
    await previous?.close()
    const next = leads
      ? await lead({ ...stageConfig, mine, isLeading: isTurn })
      : await follow({ ...stageConfig, ledIn })
    if (closed) return next.close()
    mine = next.delivery && next.journal.name
    if (next.delivery) ledIn = next.journal
    failing = false
    config.storage(undefined)
    stage = next
    entered = own
    if (next.delivery && isTurn() && !delivering.closed) {
      delivering.add(next.delivery.run$.subscribe({ error: trouble }))
      delivering.add(next.sync?.run$.subscribe({ error: trouble }))
      // What waits, or expires, since an earlier run needs the timer.
      next.delivery.wake()
    }
    await intake.store()
    changed()
  }

  /** Before anything else: whoever lost the lead sends nothing more. */
  function turn(leads: boolean): void {
    turns++
    isLeading = leads
    if (!leads) mine = undefined
    if (leads) freshness.begin()
    delivering.unsubscribe()
    if (!leaving) delivering = new Subscription()
  }

  function wake(): void {
    stage?.delivery?.wake()
    stage?.sync?.wake()
    changed()
  }

  function isBusy(): boolean {
    if (!stage || intake.unstored > 0) return true
    return stage.outbox.state.counts.sending > 0 || stage.pending() > 0
  }

  /** Resolves at the next change for which `test` holds; at once when the session closes. */
  async function change(test: () => boolean): Promise<void> {
    await firstValueFrom(changed$.pipe(filter(test)), { defaultValue: undefined })
  }

  /** What was taken in before is written, if it can be. */
  async function writeAll(): Promise<void> {
    if (intake.unstored > 0 && !stage && !failing) await change(() => stage !== undefined || failing)
    await entering.catch(() => undefined)
    await intake.store()
    closed = true
    // A turn that has come meanwhile: what it opens is let go again.
    await entering.catch(() => undefined)
    await stage?.close()
  }

  const leading = takeTurns(merge(tabs.leads$, again$).pipe(tap(turn)), {
    enter: (leads) => (entering = enter(leads)),
    failed(error) {
      failing = true
      config.storage(error)
      changed()
    },
    late: config.storage,
    scheduler,
  }).subscribe({ error: trouble })

  return {
    owner,
    views: config.views,
    gates,
    changed$,
    wake,
    accept: intake.accept,
    get unstored() {
      return intake.unstored
    },
    get stage() {
      return stage
    },
    acceptEvent(draft) {
      if (pipelines.has(draft.entityType)) pipelines.push(eventOf(draft))
      else intake.accept(draft)
    },
    async opened() {
      const isThere = () => closed || stage !== undefined
      if (!isThere()) await change(isThere)
      if (!stage) throw new ClosedError('The outbox is closed.')
      return stage
    },
    async idle() {
      while (!closed) {
        if (isBusy()) await change(() => !isBusy())
        await stage?.journal.flush()
        if (!isBusy() && stage?.journal.clean !== false) return stage?.mirror?.flush()
        if (!isBusy()) await change(() => true)
      }
    },
    async close() {
      leaving = true
      delivering.unsubscribe()
      pipelines.close()
      intake.close()
      // A store that does not answer keeps nobody from leaving.
      await firstValueFrom(race(defer(writeAll), longTimer(patience, scheduler)))
      closed = true
      stage?.abandon()
      compaction.close()
      requests.close()
      // Until now the other tabs saw that this one is there.
      tabs.neighbours.rest()
      leading.unsubscribe()
      tabs.wire.close()
      changed$.complete()
    },
  }
}
