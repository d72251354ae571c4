import { changesChecks } from './changesChecks.ts'
import { failureChecks } from './failureChecks.ts'
import { pullChecks } from './pullChecks.ts'
import type { StrategyHarness } from './strategyHarness.ts'
import { type StrategyRule, StrategyTrial } from './strategyTrial.ts'
import { writeChecks } from './writeChecks.ts'

type Check = [description: string, check: () => Promise<void>]

/** The harness says what there is; what it left out would go unchecked. */
const named: StrategyRule = {
  says: 'is checked for all that it has: `pull` and `changes$` are named where they are there, and only there',
  async check({ strategy, features }) {
    for (const [feature, member] of [['pull', strategy.pull] as const, ['changes', strategy.changes$] as const]) {
      if (features.includes(feature) !== (member !== undefined))
        throw new Error(`The strategy has ${member ? '' : 'no '}\`${feature}\`, and \`features\` says otherwise`)
    }
  },
}

/**
 * What the outbox relies on, as checks for a strategy of one's own, for whatever test runner. Each check opens a remote
 * of its own and closes it.
 *
 * @example
 * for (const [description, check] of strategyContract('NoteStrategy', noteHarness)) it(description, check)
 */
export function strategyContract<T>(name: string, harness: StrategyHarness<T>): Check[] {
  const has = new Set<string>([...harness.failures, ...harness.features])
  return [named, ...writeChecks, ...failureChecks, ...pullChecks, ...changesChecks]
    .filter(({ needs = [] }) => needs.every((need) => has.has(need)))
    .map(({ says, check }) => [`${name} ${says}`, () => run(harness, check)])
}

async function run<T>(harness: StrategyHarness<T>, check: StrategyRule['check']): Promise<void> {
  const remote = await harness.open()
  try {
    await check(new StrategyTrial(harness, remote))
  } finally {
    await remote.close?.()
  }
}
