import { firstValueFrom, type SchedulerLike, Subject, takeUntil } from 'rxjs'
import { answer } from '../delivery/answer.ts'
import type { Deadlines } from '../delivery/deadlines.ts'
import { retryAfterOf } from '../delivery/retryAfterOf.ts'
import { AuthError, classify, ClosedError, isPermanentError, NetworkError, toLegible } from '../errors.ts'
import { type Lane, laneKey } from '../outbox/lane.ts'
import { decodeValue } from '../storage/value.ts'
import type { PersistenceStrategy } from '../types.ts'
import { isInUse, isSent, isUnclear } from './placeOf.ts'
import { createPages, UnreadRows } from './pullPages.ts'
import { type Page, readPage } from './readPage.ts'
import type { ReadRow, Row } from './readRow.ts'
import { createTaking, rowsOf, type TakingConfig } from './taking.ts'
import { createTurns, type Turn } from './turns.ts'

export interface PullerConfig extends Omit<TakingConfig, 'check' | 'now'> {
  owner: string
  strategy: PersistenceStrategy<unknown>
  limit: number
  deadlines: Deadlines
  scheduler: SchedulerLike
  random: () => number
  jitter: number
  maxRetryAfter: number
  read: ReadRow
  isOnline: () => boolean
  /** Nothing goes by itself while this is false: offline, paused, or perhaps no longer the leader. */
  mayGo: () => boolean
  isAuthorized: () => boolean
  /** 401: the type waits for `authorized`. */
  authRequired: () => void
  /** Calls back, at once or as soon as it is known that this tab still leads; never, where it does not. */
  whenLeading: (act: () => void) => void
  trouble: (error: unknown) => void
}

/** What comes in of one entity type, pulled, live or by conflicts: one thing after the other. */
export interface Puller {
  readonly hasPull: boolean
  /** Resolves when a pull that begins now, or later, is done. */
  pull: () => Promise<void>
  /** Pulls as soon as that may be; `hurry`: whatever failed before. */
  want: (hurry?: boolean) => void
  /** These came live. */
  incoming: (rows: readonly Row[]) => void
  /** From now on what comes live may be older than what came here. */
  live: () => void
  /** What gates it may have changed. */
  wake: () => void
  /** A task of that lane is in flight. */
  began: (lane: Lane) => void
  changed: (lane: Lane) => void
  begin: () => void
  end: () => void
}

export function createPuller(config: PullerConfig): Puller {
  const { entityType, owner, limit, read, outbox, strategy, deadlines, isOnline, mayGo, isAuthorized } = config
  const hasPull = strategy.pull !== undefined
  const closed$ = new Subject<void>()
  const windows = new Set<Set<string>>()
  /** Since `changes$` was subscribed to: only a pull says what is newer. */
  let moved = new Set<string>()
  /** The one by which live rows are being taken. */
  let judging: Set<string> | undefined
  /** Lanes whose base may go to the app. */
  const due = new Set<Lane>()
  /** Of a strategy that cannot be asked again: what came while something of its entity was under way. */
  const held = new Map<string, Row>()
  let arrived: Row[] = []
  const asked: { resolve: () => void; reject: (error: unknown) => void }[] = []
  let isWanted = false
  let isEnded = false

  const keyOf = (id: string) => laneKey(entityType, id)
  const laneOf = (id: string) => outbox.state.lanes.get(keyOf(id))
  const take = createTaking({ ...config, now: () => config.scheduler.now(), check })

  /** Lanes in which something is in flight, now and from now on. */
  function openWindow(): Set<string> {
    const window = new Set(Array.from(outbox.state.sending, ({ lane }) => lane.key))
    windows.add(window)
    return window
  }

  const pages = createPages({
    entityType,
    request,
    take(rows, options) {
      if (windows.has(moved)) for (const { id } of rows) moved.add(keyOf(id))
      return take(rows, options)
    },
    watch() {
      const window = openWindow()
      return { moved: window, close: () => void windows.delete(window) }
    },
    stored: () => (config.apply ? outbox.state.checkpoints.get(entityType) : undefined),
    isKept: config.apply !== undefined,
    isAtRest: (id) => (isSent(laneOf(id)) ? 'soon' : !isUnclear(laneOf(id))),
    trouble: config.trouble,
  })

  const isToPull = () =>
    hasPull && isAuthorized() && ((asked.length > 0 && isOnline()) || (mayGo() && (isWanted || pages.isDue)))
  const turns = createTurns({
    ...config,
    hasWork: () => arrived.length > 0 || due.size > 0 || isToPull(),
    work,
  })

  function check(): void {
    if (isEnded) throw new ClosedError('The outbox was closed, or another tab leads by now.')
  }

  async function request(checkpoint: string | undefined): Promise<Page> {
    check()
    const position = checkpoint === undefined ? undefined : decodeValue(checkpoint)
    const given = await firstValueFrom(
      answer((signal) => strategy.pull?.({ checkpoint: position, limit, owner, signal }) ?? [], deadlines).pipe(
        takeUntil(closed$),
      ),
      { defaultValue: undefined },
    )
    check()
    await new Promise<void>((leads) => config.whenLeading(leads))
    check()
    return readPage(given, entityType, limit, read)
  }

  async function work(): Promise<Turn> {
    const isPull = isToPull()
    const waiting = isPull ? asked.splice(0) : []
    if (isPull) isWanted = false
    try {
      await takeArrived()
      await settle()
      if (isPull) await pages.pull()
      for (const { resolve } of waiting) resolve()
      // What is in flight all the time is asked for now and then.
      return { pause: isPull && pages.isDue }
    } catch (thrown) {
      const error = toLegible(thrown)
      for (const { reject } of waiting) reject(error)
      if (isEnded) return { pause: false }
      const isForGood = error instanceof UnreadRows
      const isSignedOut = classify(error).category === 'auth' && !isPermanentError(error)
      if (isPull && !isForGood) isWanted = true
      if (isSignedOut) config.authRequired()
      else if (isOnline()) config.trouble(error)
      return { pause: !isForGood && !isSignedOut, atLeast: retryAfterOf(error, config.maxRetryAfter) }
    }
  }

  async function takeArrived(): Promise<void> {
    // Of several states the last one counts.
    const rows = new Map(arrived.splice(0).map((row) => [row.id, row]))
    if (rows.size === 0) return
    const window = (judging = moved)
    try {
      const { owed, waiting } = await take([...rows.values()], { moved: hasPull ? window : new Set() })
      if (hasPull) isWanted ||= owed.length > 0
      else for (const id of [...owed, ...waiting]) hold(rows.get(id))
    } catch (error) {
      if (!hasPull || window === moved) arrived = [...rows.values(), ...arrived]
      throw error
    } finally {
      if (window !== moved) windows.delete(window)
      judging = undefined
    }
  }

  function hold(row: Row | undefined): void {
    if (!row) return
    held.set(row.id, row)
    letGo(row.id)
  }

  /** Nothing of the entity is under way any more: what came last of it may go to the app. */
  function letGo(id: string): void {
    const row = held.get(id)
    const lane = laneOf(id)
    if (!row || (lane && isInUse(lane))) return
    held.delete(id)
    if (!lane?.base) arrived.push(row)
  }

  /** Gives bases to the app for which no task waits any more. */
  async function settle(): Promise<void> {
    const lanes = [...due].filter((lane) => lane.base && !isInUse(lane))
    due.clear()
    if (lanes.length === 0) return
    await take(rowsOf(lanes), { moved: new Set() }).catch((error: unknown) => {
      for (const lane of lanes) due.add(lane)
      throw error
    })
  }

  return {
    hasPull,
    pull() {
      if (!hasPull) return Promise.resolve()
      const cannot = isEnded
        ? new ClosedError('The outbox is closed.')
        : !isOnline()
          ? new NetworkError(`${entityType} cannot be pulled while offline.`)
          : !isAuthorized() && new AuthError(`${entityType} waits for authorized().`)
      if (cannot) return Promise.reject(cannot)
      return new Promise((resolve, reject) => {
        asked.push({ resolve, reject })
        turns.hurry()
      })
    },
    want(hurry = false) {
      if (!hasPull) return
      isWanted = true
      if (hurry) turns.hurry()
      else turns.kick()
    },
    incoming(rows) {
      arrived.push(...rows)
      turns.kick()
    },
    live() {
      // What came before is judged by what moved before; the pull that follows brings it as it is now.
      if (hasPull) arrived = []
      if (moved !== judging) windows.delete(moved)
      moved = openWindow()
    },
    wake: turns.kick,
    began({ key }) {
      for (const window of windows) window.add(key)
    },
    changed(lane) {
      if (lane.base && !isInUse(lane)) due.add(lane)
      if (held.size > 0) letGo(lane.entityId)
      turns.kick()
    },
    begin() {
      for (const lane of outbox.state.lanes.values())
        if (lane.entityType === entityType && lane.base && !isInUse(lane)) due.add(lane)
      turns.begin()
    },
    end() {
      isEnded = true
      turns.end()
      closed$.next()
      for (const { reject } of asked.splice(0)) reject(new ClosedError('The outbox was closed before it was pulled.'))
    },
  }
}
