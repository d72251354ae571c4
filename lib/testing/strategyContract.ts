import { type StrategyUnderTest, strategyTrial } from './strategyTrial.ts'

export type { RemoteFailure, StrategyUnderTest } from './strategyTrial.ts'

type Trial = ReturnType<typeof strategyTrial>
type Check = [description: string, check: () => Promise<void>]

const failures = [
  ['unreachable', 'network'],
  ['failing', 'server'],
  ['refusing', 'client'],
  ['unauthorized', 'auth'],
] as const

/**
 * What the outbox relies on, as checks for a strategy of one's own, for whatever test runner. `setup` makes a new
 * strategy and an empty remote for each check.
 *
 * @example
 * for (const [description, check] of strategyContract('The note strategy', setup)) it(description, check)
 */
export function strategyContract<T>(
  name: string,
  setup: () => StrategyUnderTest<T> | Promise<StrategyUnderTest<T>>,
): Check[] {
  const check = (says: string, run: (trial: Trial) => Promise<void>): Check => [
    `${name} ${says}`,
    async () => run(strategyTrial(await setup())),
  ]
  return [
    check('applies a create, an update and a delete; what a receipt says fits the next write', async (trial) => {
      const created = await trial.write('create')
      const updated = await trial.write('update', created)
      await trial.write('delete', { ...created, ...updated })
      await trial.hasApplied('create', 'update', 'delete')
    }),
    check('applies a key once, however often it is sent', async (trial) => {
      const created = await trial.write('create')
      await trial.write('create', { attempt: 2 })
      const updated = await trial.write('update', created)
      await trial.write('update', { ...created, attempt: 2 })
      await trial.write('delete', { ...created, ...updated })
      await trial.write('delete', { ...created, ...updated, attempt: 2 })
      await trial.hasApplied('create', 'update', 'delete')
    }),
    check('fails when an answer is lost, and is done with the next attempt', async (trial) => {
      await trial.failNext('answer-lost')
      await trial.isRefused(trial.write('create'), 'network')
      await trial.write('create', { attempt: 2 })
      await trial.hasApplied('create')
    }),
    check('lets go of a silent remote when its signal is aborted', async (trial) => {
      await trial.failNext('silent')
      const controller = new AbortController()
      const attempt = trial.write('create', { signal: controller.signal })
      controller.abort(new Error('enough'))
      await trial.rejection(attempt)
    }),
    check('sends nothing when its signal is aborted already', async (trial) => {
      await trial.rejection(trial.write('create', { signal: AbortSignal.abort() }))
      await trial.hasApplied()
    }),
    ...failures.map(([failure, category]) =>
      check(`throws a PersistenceError of category ${category} when the remote is ${failure}`, async (trial) => {
        await trial.failNext(failure)
        await trial.isRefused(trial.write('create'), category)
        await trial.hasApplied()
      }),
    ),
    check('never says of a write that was applied that it was not', async (trial) => {
      const created = await trial.write('create')
      const found = await trial.reconcile({ ...created, attempt: 2 })
      if (found !== 'unknown' && !found.applied) throw new Error('The create was applied, and is said not to be')
    }),
  ]
}
