import type { AttemptContext, PersistReceipt } from 'rx-outbox'
import type { Call, Leg } from './legs.ts'
import { slotsOf } from './slots.ts'
import { within } from './told.ts'
import { type Failure, isConflict, verdict } from './verdict.ts'

/** Asks one leg after the other until one confirms; each but the last has `patience` ms. */
export async function inTurn<T>(
  legs: readonly Leg<T>[],
  patience: number,
  call: Call<T>,
  attempt: AttemptContext,
): Promise<PersistReceipt<T>> {
  const slots = slotsOf(attempt)
  const failures: Failure[] = []
  // Who was asked when the app ended may have confirmed: it is asked again before anybody else.
  const first = Math.max(
    0,
    legs.findIndex(({ name }) => name === slots.at()),
  )
  for (const leg of [...legs.slice(first), ...legs.slice(0, first)]) {
    if (leg.name !== (slots.at() ?? legs[0]?.name)) await slots.goTo(leg.name)
    const isLast = failures.length === legs.length - 1
    try {
      const receipt = await within(isLast ? Infinity : patience, leg.name, attempt.signal, (signal) =>
        call(leg.strategy, slots.contextOf(leg, signal)),
      )
      return (leg.counts && receipt) || {}
    } catch (error) {
      attempt.signal.throwIfAborted()
      const failure = { leg, error }
      if (isConflict(failure)) throw error
      failures.push(failure)
    }
  }
  if (slots.at() !== undefined) await slots.goTo(undefined)
  throw verdict(failures)
}
