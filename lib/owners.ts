import { BehaviorSubject } from 'rxjs'
import { ClosedError, NoOwnerError } from './errors.ts'
import type { OpenReceipt } from './outbox/receipts.ts'
import type { Session } from './session.ts'

/** One session at a time: that of the present owner. */
export interface Owners {
  /** `undefined` while there is none. */
  readonly session$: BehaviorSubject<Session | undefined>
  /** `undefined` before the first value; `null` is nobody. */
  readonly current: string | null | undefined
  switchTo: (owner: string | null) => void
  /** Hands an event to whoever owns it at this moment; it waits while that owner is not known, or not open yet. */
  hand: (to: (session: Session) => void, receipt?: OpenReceipt) => void
  /** While away nothing is open, and what is emitted waits. */
  setAway: (isAway: boolean) => void
  /** Resolves when everything is written that can be. */
  close: () => Promise<void>
}

interface Held {
  owner: string | undefined
  to: (session: Session) => void
  receipt: OpenReceipt | undefined
}

export function createOwners(open: (owner: string) => Session, trouble: (error: unknown) => void): Owners {
  const session$ = new BehaviorSubject<Session | undefined>(undefined)
  const closings = new Map<string, Promise<void>>()
  let held: Held[] = []
  let current: string | null | undefined
  let isClosing = false
  let isAway = false

  function begin(owner: string): void {
    const before = closings.get(owner)
    if (before) {
      // The journal is still being written.
      void before.then(() => begin(owner))
      return
    }
    if (isAway) return
    const isCurrent = owner === current && !isClosing
    const own = held.filter((event) => event.owner === owner)
    if (isCurrent ? session$.value : own.length === 0) return
    held = held.filter((event) => event.owner !== owner)
    const session = open(owner)
    if (isCurrent) session$.next(session)
    for (const { to } of own) to(session)
    // Somebody else's turn by now: what was emitted is stored, and nothing is sent.
    if (!isCurrent) end(session)
  }

  function end(session: Session): void {
    const { owner } = session
    closings.set(
      owner,
      session.close().finally(() => closings.delete(owner)),
    )
  }

  function refuse(events: Held[], error: Error): void {
    for (const { receipt } of events) {
      if (receipt) receipt.notStored(error)
      else trouble(error)
    }
  }

  return {
    session$,
    get current() {
      return current
    },
    switchTo(next) {
      if (next === current) return
      const before = session$.value
      current = next
      session$.next(undefined)
      if (before) end(before)
      const unowned = held.filter(({ owner }) => owner === undefined)
      if (next === null) {
        held = held.filter(({ owner }) => owner !== undefined)
        refuse(unowned, new NoOwnerError('Nobody owns the change: the option owner says null.'))
        return
      }
      for (const event of unowned) event.owner = next
      begin(next)
    },
    hand(to, receipt) {
      if (session$.value) to(session$.value)
      else held.push({ owner: current ?? undefined, to, receipt })
    },
    setAway(away) {
      if (away === isAway) return
      isAway = away
      const before = session$.value
      if (away && before) {
        session$.next(undefined)
        end(before)
      }
      if (away) return
      const owed = new Set(held.flatMap(({ owner }) => owner ?? []))
      if (typeof current === 'string') owed.add(current)
      for (const owner of owed) begin(owner)
    },
    async close() {
      isClosing = true
      isAway = false
      if (session$.value) end(session$.value)
      while (closings.size > 0) await Promise.all(closings.values())
      const lost = held.filter(({ receipt }) => !receipt)
      refuse(lost, new ClosedError('The outbox was closed before the change had an owner.'))
    },
  }
}
