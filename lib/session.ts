import { concatMap, defer, filter, firstValueFrom, from, type Observable, retry, Subject, Subscription } from 'rxjs'
import { createDoor, type Draft, eventOf } from './door.ts'
import { environment } from './environment.ts'
import { ClosedError } from './errors.ts'
import { longTimer } from './operators/longTimer.ts'
import type { Settings } from './options.ts'
import { createCompaction } from './outbox/compaction.ts'
import type { Lane } from './outbox/lane.ts'
import type { Fact } from './outbox/outbox.ts'
import type { OpenReceipt, Receipts } from './outbox/receipts.ts'
import { createIntake } from './intake.ts'
import { createPipelines } from './pipelines.ts'
import { follow, lead, leaderJournal, type Stage } from './stage.ts'
import { quarantine } from './storage/readJournal.ts'
import type { Views } from './sync/metadata.ts'
import { announce, watchDepartures } from './tabs/departures.ts'
import { importJournal } from './tabs/importJournal.ts'
import { leadership } from './tabs/leadership.ts'

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
  /** Ends last: until then other tabs see that this one is there. */
  const alive = new Subscription()
  const imports = new Set<Promise<void>>()
  let stage: Stage | undefined
  let hasFollowed = false
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
  alive.add(compaction.close)

  const stageConfig = {
    ...config,
    space,
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
    const previous = stage
    // Until the next one is open, events wait.
    stage = undefined
    await previous?.journal.close()
    const next = leads ? await lead(stageConfig) : await follow(stageConfig, writer)
    if (leads) await takeOver(next)
    else if (locks) alive.add(announce(locks, channel(), writer, lockOf(writer)))
    hasFollowed = !leads
    if (closed) return next.journal.close()
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

  /** Takes in what this tab wrote while another led, and what tabs left that are gone, now or later. */
  async function takeOver({ outbox, journal, delivery }: Stage): Promise<void> {
    const into = { outbox, journal, store, space }
    if (hasFollowed) await importJournal(writer, into, true)
    const leaving = new AbortController()
    alive.add(() => leaving.abort())
    const watch = watchDepartures({
      locks,
      channel: locks ? channel() : null,
      lockOf,
      signal: leaving.signal,
      async gone(other) {
        const taken = importJournal(other, into, false).catch(trouble)
        imports.add(taken)
        await taken
        imports.delete(taken)
        delivery?.wake()
      },
    })
    for (const journalName of await store.list(space)) {
      if (journalName !== leaderJournal && journalName !== quarantine && journalName !== writer) watch(journalName)
    }
  }

  function channel() {
    const opened = environment.channel(`rx-outbox:${space}`)
    alive.add(() => opened?.close())
    return opened
  }

  function isBusy(): boolean {
    if (!stage || intake.unstored > 0) return true
    return stage.outbox.state.counts.sending > 0 || (stage.delivery?.ready() ?? 0) > 0
  }

  /** Resolves at the next change for which `test` holds; at once when the session closes. */
  async function change(test: () => boolean): Promise<void> {
    await firstValueFrom(changed$.pipe(filter(test)), { defaultValue: undefined })
  }

  const leading = leadership(locks, lockOf(leaderJournal))
    .pipe(
      concatMap((leads) =>
        defer(() => from(enter(leads))).pipe(
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
        if (!isBusy() && stage?.journal.clean !== false) return
        if (!isBusy()) await change(() => true)
      }
    },
    async close() {
      delivering.unsubscribe()
      pipelines.close()
      intake.close()
      // What was taken in before is written, if it can be.
      if (intake.unstored > 0 && !stage && !failing) await change(() => stage !== undefined || failing)
      await intake.store()
      closed = true
      await Promise.all(imports)
      await stage?.journal.close()
      alive.unsubscribe()
      leading.unsubscribe()
      changed$.complete()
    },
  }
}
