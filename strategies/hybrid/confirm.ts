import type { AttemptContext, PersistReceipt, Reconciliation } from 'rx-outbox'
import { type Subscription, timer } from 'rxjs'
import type { Call, Leg } from './legs.ts'
import { slotsOf } from './slots.ts'
import { linked, told } from './told.ts'
import { type Failure, verdict } from './verdict.ts'

export interface Confirming<T> {
  legs: readonly Leg<T>[]
  /** How many have to confirm. */
  need: number
  /** Milliseconds the others still have then. */
  grace: number
}

/** Asks every leg that has not confirmed yet, all at once. */
export async function confirm<T>(
  { legs, need, grace }: Confirming<T>,
  call: Call<T>,
  attempt: AttemptContext,
): Promise<PersistReceipt<T>> {
  const slots = slotsOf(attempt)
  const receipts = new Map(legs.flatMap((leg) => entryOf<T>(leg.name, slots.done(leg.name))))
  const missing = legs.filter(({ name }) => !receipts.has(name))
  const failures: Failure[] = []
  const { controller, release } = linked(attempt.signal)
  let late: Subscription | undefined
  const endGrace = () => controller.abort()

  async function ask(leg: Leg<T>): Promise<void> {
    try {
      const { signal } = controller
      const receipt = (await told(() => call(leg.strategy, slots.contextOf(leg, signal)), signal)) ?? {}
      // Whoever is the last has nobody to be remembered for.
      if (receipts.size < legs.length - 1) await slots.confirm(leg, receipt)
      receipts.set(leg.name, receipt)
      if (receipts.size >= need) late ??= timer(grace).subscribe(endGrace)
    } catch (error) {
      failures.push({ leg, error })
    }
  }

  if (receipts.size < need) await Promise.all(missing.map(ask))
  release()
  late?.unsubscribe()
  if (receipts.size >= need) return joined(legs, receipts)
  attempt.signal.throwIfAborted()
  throw verdict(failures)
}

/** Asks every leg whose remote may have forgotten the task's key; what was applied is remembered. */
export async function reconcileEach<T>(
  { legs, need }: Pick<Confirming<T>, 'legs' | 'need'>,
  ask: (leg: Leg<T>, attempt: AttemptContext) => Promise<Reconciliation<T>>,
  attempt: AttemptContext,
): Promise<Reconciliation<T>> {
  const slots = slotsOf(attempt)
  const receipts = new Map(legs.flatMap((leg) => entryOf<T>(leg.name, slots.done(leg.name))))
  const answers = await Promise.all(
    legs
      .filter(({ name }) => !receipts.has(name))
      .map(async (leg) => {
        const said = await ask(leg, slots.contextOf(leg, attempt.signal))
        if (said === 'unknown' || !said.applied) return said
        receipts.set(leg.name, said.receipt ?? {})
        await slots.confirm(leg, said.receipt ?? {})
        return said
      }),
  )
  if (receipts.size >= need) return { applied: true, receipt: joined(legs, receipts) }
  return answers.includes('unknown') ? 'unknown' : { applied: false }
}

/** The receipt of the leg that counts; none where it is not among those that confirmed. */
function joined<T>(legs: readonly Leg<T>[], receipts: ReadonlyMap<string, PersistReceipt<T>>): PersistReceipt<T> {
  const primary = legs.find(({ counts, name }) => counts && receipts.has(name))
  return (primary && receipts.get(primary.name)) ?? {}
}

/** What was stored of a receipt has no data. */
function entryOf<T>(name: string, stored: PersistReceipt | undefined): [string, PersistReceipt<T>][] {
  if (!stored) return []
  const { data: _, ...rest } = stored
  return [[name, rest]]
}
