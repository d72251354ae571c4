import {
  concatMap,
  defer,
  filter,
  firstValueFrom,
  from,
  type Observable,
  race,
  retry,
  Subject,
  Subscription,
} from 'rxjs'
import { createDoor, type Draft, eventOf } from './door.ts'
import { ClosedError } from './errors.ts'
import { longTimer } from './operators/longTimer.ts'
import type { Settings } from './options.ts'
import { createCompaction } from './outbox/compaction.ts'
import type { Lane } from './outbox/lane.ts'
import type { Fact } from './outbox/outbox.ts'
import type { OpenReceipt, Receipts } from './outbox/receipts.ts'
import { createIntake } from './intake.ts'
import { createPipelines } from './pipelines.ts'
import { follow, lead, leaderJournal, leave, type Stage } from './stage.ts'
import type { StorageNews } from './recovery.ts'
import { patience, patiently } from './storage/patience.ts'
import { quarantine } from './storage/readJournal.ts'
import type { Views } from './sync/metadata.ts'
import { leadership } from './tabs/leadership.ts'
import { createNeighbours } from './tabs/neighbours.ts'

export interface SessionConfig {
  settings: Settings
  owner: string
  receipts: Receipts
  views: Views
  isOnline: () => boolean
  isPaused: () => boolean
  tell: (fact: Fact) => void
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
  /** Something that a stream shows may have changed. */
  readonly changed$: Observable<Lane | undefined>
  readonly stage: Stage | undefined
  /** Events that are not stored yet. */
  readonly unstored: number
  /** Entity types that wait for `authorized()`. */
  readonly unauthorized: Set<string>
  accept: (draft: Draft, receipt: OpenReceipt) => void
  /** A bus event: it goes through the `events` operators of its type first. */
  acceptEvent: (draft: Draft) => void
  /** Resolves with what is open now, or as soon as it is; `'leading'` waits for the lead. */
  opened: (as?: 'leading') => Promise<Stage>
  /** What gates delivery may have changed. */
  wake: () => void
  /** Nothing could go now, nothing is in flight, everything is written. */
  idle: () => Promise<void>
  close: () => Promise<void>
}

export function createSession(config: SessionConfig): Session {
  const { settings, owner, receipts, trouble } = config
  const { store, locks, scheduler } = settings
  // The first slash parts them, whatever they contain.
  const space = `${settings.name.replace(/[%/]/g, (char) => (char === '/' ? '%2F' : '%25'))}/${owner}`
  const writer = settings.createId()
  const lockOf = (journal: string) => `rx-outbox:${space}:${journal}`
  const changed$ = new Subject<Lane | undefined>()
  const unauthorized = new Set<string>()
  const door = createDoor(settings)
  /** Ends first at close: what is in flight is aborted. */
  const delivering = new Subscription()
  let stage: Stage | undefined
  let entering: Promise<void> = Promise.resolve()
  let failing = false
  let closed = false

  const intake = createIntake({
    settings,
    owner,
    receipts,
    stage: () => stage,
    changed: () => changed$.next(undefined),
  })
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
  })
  const neighbours = createNeighbours({
    store,
    locks,
    space,
    writer,
    lockOf,
    trouble,
    except: [leaderJournal, quarantine],
  })

  const stageConfig = {
    ...config,
    space,
    lockOf,
    isBusy,
    changed(lane?: Lane) {
      changed$.next(lane)
      if (!lane) compaction.check()
    },
    isAuthorized: (entityType: string) => !unauthorized.has(entityType),
    authRequired(entityType: string) {
      if (unauthorized.has(entityType)) return
      unauthorized.add(entityType)
      config.authRequired(entityType)
    },
  }

  async function enter(leads: boolean): Promise<void> {
    if (closed) return
    const previous = stage
    // Until the next one is open, events wait.
    stage = undefined
    await previous?.journal.close()
    const next = leads ? await lead(stageConfig) : await follow(stageConfig, writer)
    try {
      if (leads) await neighbours.takeOver({ ...next, wake: () => next.delivery?.wake() })
      else neighbours.announce()
    } catch (error) {
      // The next try opens it anew.
      await leave(next)
      throw error
    }
    if (closed) return leave(next)
    failing = false
    config.storage(undefined)
    stage = next
    if (next.delivery && !delivering.closed) {
      delivering.add(next.delivery.run$.subscribe({ error: trouble }))
      // What waits, or expires, since an earlier run needs the timer.
      next.delivery.wake()
    }
    await intake.store()
    changed$.next(undefined)
  }

  function isBusy(): boolean {
    if (!stage || intake.unstored > 0) return true
    return stage.outbox.state.counts.sending > 0 || (stage.delivery?.ready() ?? 0) > 0
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
    await neighbours.settled()
    if (stage) await leave(stage)
  }

  const leading = leadership(locks, lockOf(leaderJournal))
    .pipe(
      concatMap((leads) =>
        defer(() => from(patiently((entering = enter(leads)), scheduler, config.storage))).pipe(
          // A journal that cannot be read is not an empty one: it is tried until it can be.
          retry({
            delay(error, tries) {
              failing = true
              config.storage(error)
              changed$.next(undefined)
              return longTimer(Math.min(60_000, 500 * 2 ** tries), scheduler)
            },
          }),
        ),
      ),
    )
    .subscribe({ error: trouble })

  return {
    owner,
    views: config.views,
    changed$,
    unauthorized,
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
    async opened(as) {
      const isThere = () => closed || (stage !== undefined && (as === undefined || stage.delivery !== undefined))
      if (!isThere()) await change(isThere)
      if (!stage) throw new ClosedError('The outbox is closed.')
      return stage
    },
    wake() {
      stage?.delivery?.wake()
      changed$.next(undefined)
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
      delivering.unsubscribe()
      pipelines.close()
      intake.close()
      // A store that does not answer keeps nobody from leaving.
      await firstValueFrom(race(defer(writeAll), longTimer(patience, scheduler)))
      closed = true
      compaction.close()
      // Until now the other tabs saw that this one is there.
      neighbours.close()
      leading.unsubscribe()
      changed$.complete()
    },
  }
}
