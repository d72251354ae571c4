import { EMPTY, finalize, merge, Observable, of, type SchedulerLike, Subject } from 'rxjs'
import type { BreakerConfig } from '../api.ts'
import { classify, isPermanentError, toLegible } from '../errors.ts'
import { drain } from '../operators/drain.ts'
import { nextDelay } from '../operators/nextDelay.ts'
import { knowsKey } from '../outbox/knowsKey.ts'
import { migrate, type MigrationConfig } from '../outbox/migrate.ts'
import type { Entry } from '../outbox/lane.ts'
import type { Outbox } from '../outbox/outbox.ts'
import { isInConflict } from '../outbox/rows.ts'
import type { Journal } from '../storage/journal.ts'
import type { PersistenceStrategy, PersistReceipt, RetryConfig } from '../types.ts'
import { createAlarm } from './alarm.ts'
import { type Attempts, believable } from './attempt.ts'
import type { Deadlines } from './deadlines.ts'
import { isUnreached } from './breaker.ts'
import { afterReconciling } from './afterReconciling.ts'
import { createBreakers } from './breakers.ts'
import { type ConflictsConfig, createConflicts } from './conflicts.ts'
import { doubtAfter } from './doubtAfter.ts'
import { createMarks } from './marks.ts'
import { retryAfterOf } from './retryAfterOf.ts'
import { watchClock } from './watchClock.ts'

export interface DeliveryConfig
  extends MigrationConfig, Pick<ConflictsConfig, 'resolutions' | 'conflictOf' | 'resolverOf' | 'merges' | 'trouble'> {
  outbox: Outbox
  journal: Pick<Journal, 'write'>
  attempts: Attempts
  deadlines: Deadlines
  scheduler: SchedulerLike
  random: () => number
  concurrency: number
  jitter: number
  maxRetryAfter: number
  retryConfigOf: (entityType: string) => RetryConfig
  strategyOf: (entityType: string) => PersistenceStrategy<unknown> | undefined
  breaker: BreakerConfig | false
  /** Nothing goes while this is false: offline, paused. */
  mayGo: () => boolean
  isOnline: () => boolean
  /** Calls back, at once or as soon as it is known that this tab still leads; never, where it does not. */
  whenLeading: (act: () => void) => void
  /** 401: the type waits for `authorized`. */
  authRequired: (entityType: string) => void
  isAuthorized: (entityType: string) => boolean
}

/** Brings the outbox's tasks to their strategies: who is next → marked → attempted → what became of it. */
export interface Delivery {
  /** Works while subscribed; unsubscribing aborts what is in flight. */
  run$: Observable<never>
  /** Something may be able to go now. */
  wake: () => void
  /** How many tasks could go now, or are in a conflict that is being decided. */
  ready: () => number
}

export function createDelivery(config: DeliveryConfig): Delivery {
  const { outbox, attempts, scheduler, retryConfigOf, strategyOf } = config
  const { schedule, expiring } = outbox
  const wake$ = new Subject<void>()
  const wake = () => (wake$.next(), setAlarm())
  const breakers = createBreakers(config.breaker, outbox)
  const isSetBack = watchClock(scheduler)
  /** How often a type was paused by a 401. */
  const pauses = new Map<string, number>()
  const alarm = createAlarm(scheduler, ring)

  function open(entityType: string): boolean {
    if (!config.mayGo() || !config.isAuthorized(entityType)) return false
    const breaker = breakers.of(entityType)
    return !breaker.isOpen || breaker.allows(scheduler.now())
  }
  const keyWindowOf = (entityType: string) => strategyOf(entityType)?.keyWindow ?? Infinity
  const now = () => scheduler.now()
  const conflicts = createConflicts({ ...config, now, wake })
  const marks = createMarks({
    outbox,
    journal: config.journal,
    now,
    open,
    oneByOne: (entityType) => keyWindowOf(entityType) === 0 || breakers.of(entityType).isOpen,
    migrate: (entry) => migrate(entry, config),
    merges: config.merges,
    meet: conflicts.meet,
    wake,
  })

  function take(): Entry | undefined {
    for (;;) {
      const lane = schedule.peek(open)
      const head = lane?.queue[0]
      if (!lane || !head) return undefined
      if (head.expiresAt !== undefined && head.expiresAt <= scheduler.now()) {
        expire(head)
        continue
      }
      if (head.mark && isInConflict(head, config.merges)) {
        conflicts.meet(head)
        continue
      }
      if (!head.mark?.durable) {
        marks.starved()
        return undefined
      }
      schedule.take(lane, open)
      breakers.of(lane.entityType).began(lane.key)
      outbox.begin(head)
      marks.begun()
      return head
    }
  }

  /** Completes when it is known what became of the attempt; never errors. */
  function deliver(entry: Entry): Observable<never> {
    const strategy = strategyOf(entry.lane.entityType)
    // A type without a strategy is parked, so it never comes here.
    if (!strategy) return EMPTY
    const persist$ = attempts.persist(entry, strategy)
    const pausesBefore = pauses.get(entry.lane.entityType)
    const renew = () => marks.renew(entry)
    const unknown = () => lostTrack(entry)
    const sent$ = forgotten(entry)
      ? afterReconciling(attempts.reconcile(entry, strategy), { renew, persist$, unknown })
      : persist$
    return new Observable((subscriber) => {
      // A leader that was replaced meanwhile has nothing to say of it.
      const settle = (act: () => void) =>
        config.whenLeading(() => {
          if (subscriber.closed) return
          act()
          subscriber.complete()
        })
      let succeed = () => {}
      return sent$.subscribe({
        next: (receipt) => (succeed = () => succeeded(entry, receipt)),
        error: (error) => settle(() => failed(entry, toLegible(error), pausesBefore)),
        complete: () => settle(succeed),
      })
    })
  }

  /** In doubt for longer than the remote remembers the key: a resend could apply it twice. */
  function forgotten({ inDoubt, mark, lane }: Entry): boolean {
    return inDoubt && mark !== undefined && !knowsKey(mark.firstSentAt, keyWindowOf(lane.entityType), scheduler.now())
  }

  function lostTrack(entry: Entry): void {
    const message = 'It was sent, nobody knows whether it was applied, and the remote no longer knows its key.'
    answered(entry)
    outbox.end(entry, { status: 'failed', error: { category: entry.error?.category ?? 'unknown', message } }, true)
  }

  function answered({ lane }: Entry): void {
    breakers.of(lane.entityType).answered()
    breakers.recall()
  }

  function succeeded(entry: Entry, receipt: PersistReceipt | void): void {
    answered(entry)
    outbox.persisted(entry, believable(receipt), true)
  }

  function failed(entry: Entry, thrown: unknown, pausesBefore: number | undefined): void {
    const { lane } = entry
    const error = classify(thrown)
    const permanent = isPermanentError(thrown)
    const breaker = breakers.of(lane.entityType)
    if (error.category === 'auth' && !permanent) {
      answered(entry)
      // Who was begun before an earlier 401 says nothing new: its token was the same.
      if (pauses.get(lane.entityType) === pausesBefore) {
        pauses.set(lane.entityType, (pausesBefore ?? 0) + 1)
        config.authRequired(lane.entityType)
      }
      outbox.giveBack(entry, error)
      return
    }
    if (error.category === 'conflict' && !permanent && conflicts.refused(entry, error, thrown)) return answered(entry)
    // Where it was only asked about, nothing is known that was not before.
    const inDoubt = forgotten(entry) || doubtAfter(error, entry)
    if (isUnreached(error.category) && !permanent) {
      const isProbe = breaker.isOpen && config.isOnline()
      if (config.isOnline()) breaker.unreached(lane.key, scheduler.now())
      else breaker.abandoned(lane.key)
      if (isProbe || !config.isOnline()) {
        entry.inDoubt = inDoubt
        outbox.giveBack(entry, error)
        if (isProbe) breakers.setAside(lane)
        return
      }
    } else answered(entry)
    const retryConfig = retryConfigOf(lane.entityType)
    if (permanent || entry.retryCount >= retryConfig.maxRetries) {
      outbox.end(entry, { status: 'failed', error }, inDoubt)
    } else if (entry.expiresAt !== undefined && entry.expiresAt <= scheduler.now()) {
      entry.inDoubt = inDoubt
      expire(entry, error)
    } else {
      const asked = retryAfterOf(thrown, config.maxRetryAfter)
      const delay = nextDelay(entry.retryCount + 1, retryConfig, config.jitter, config.random)
      // At least a turn of the timer: a task that may go at once, for ever, would let nobody else run.
      const retryAt = scheduler.now() + (asked ?? Math.max(1, delay))
      outbox.retryLater(entry, { retryAt, error, held: asked ?? 0, inDoubt })
    }
  }

  function expire(entry: Entry, error = entry.error): void {
    outbox.end(entry, { status: 'expired', ...(error && { error }) }, entry.inDoubt)
  }

  /** The time has come for lanes that waited, and for tasks that expire. */
  function ring(at: number): void {
    schedule.wake(at)
    breakers.recall()
    for (let first = expiring.first; first?.expiresAt !== undefined && first.expiresAt <= at; first = expiring.first) {
      // What is in flight ends by its answer.
      if (first.state === 'sending') expiring.delete(first)
      else expire(first)
    }
    wake()
  }

  /** While it runs: to the next lane that is due, the next task that expires, or the next probe. */
  function setAlarm(): void {
    if (!wake$.observed) return
    if (isSetBack()) outbox.refreshAll()
    const probeAt = breakers.nextProbe(scheduler.now())
    alarm.set(Math.min(schedule.nextDue() ?? Infinity, expiring.first?.expiresAt ?? Infinity, probeAt))
  }

  return {
    run$: merge(of(undefined), wake$).pipe(
      drain({ take, done: setAlarm }, deliver, config.concurrency),
      finalize(() => {
        alarm.close()
        conflicts.close()
        config.deadlines.close()
      }),
    ),
    wake,
    ready: () => schedule.ready(open) + conflicts.open,
  }
}
