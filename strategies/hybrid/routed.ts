import type { AttemptContext, PersistReceipt } from 'rx-outbox'
import type { Call, Leg } from './legs.ts'
import { slotsOf } from './slots.ts'
import { told } from './told.ts'

/** Asks the leg that is chosen. */
export async function routed<T>(
  legs: readonly Leg<T>[],
  choose: () => string,
  call: Call<T>,
  attempt: AttemptContext,
): Promise<PersistReceipt<T>> {
  const slots = slotsOf(attempt)
  // Who was asked when the app ended may have confirmed: it is asked again, whatever would be chosen now.
  const name = legs.some((leg) => leg.name === slots.at()) ? slots.at() : choose()
  const leg = legs.find((one) => one.name === name)
  if (!leg)
    throw new TypeError(`route: \`choose\` said ${name}, which is none of ${legs.map((one) => one.name).join(', ')}`)
  if (slots.at() !== name) await slots.goTo(name)
  try {
    return (await told(() => call(leg.strategy, slots.contextOf(leg, attempt.signal)), attempt.signal)) ?? {}
  } catch (error) {
    attempt.signal.throwIfAborted()
    await slots.goTo(undefined)
    throw error
  }
}
