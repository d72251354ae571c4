import type { ErrorCategory } from '../types.ts'
import type { RemoteFailure } from './strategyHarness.ts'
import type { StrategyRule } from './strategyTrial.ts'

const categories: [RemoteFailure, ErrorCategory][] = [
  ['unreachable', 'network'],
  ['failing', 'server'],
  ['refusing', 'client'],
  ['unauthorized', 'auth'],
  ['rate-limited', 'rate-limit'],
]

export const failureChecks: readonly StrategyRule[] = [
  {
    needs: ['answer-lost'],
    says: 'fails when an answer is lost, and is done with the next attempt',
    async check(trial) {
      await trial.failNext('answer-lost')
      await trial.isRefused(trial.write('create'), 'network')
      await trial.write('create', { attempt: 2 })
      await trial.hasApplied('create')
      await trial.holds({ 'contract-1': 0 })
    },
  },
  {
    needs: ['silent'],
    says: 'lets go of a silent remote when its signal is aborted, and applies nothing later',
    async check(trial) {
      await trial.abortSilent((signal) => trial.write('create', { signal }))
      await trial.write('create', { attempt: 2 })
      await trial.hasApplied('create')
    },
  },
  ...categories.map(([failure, category]): StrategyRule => {
    return {
      needs: [failure],
      says: `throws a PersistenceError of category ${category} when the remote is ${failure}, and applies nothing`,
      async check(trial) {
        await trial.failNext(failure)
        await trial.isRefused(trial.write('create'), category)
        await trial.hasApplied()
        await trial.holds({})
        await trial.write('create', { attempt: 2 })
        await trial.holds({ 'contract-1': 0 })
      },
    }
  }),
  {
    needs: ['rate-limited'],
    says: 'says how long a remote asked to be left alone',
    async check(trial) {
      await trial.failNext('rate-limited')
      const { retryAfter = 0 } = await trial.isRefused(trial.write('create'), 'rate-limit')
      if (!(retryAfter > 0)) throw new Error('The error has no `retryAfter`')
    },
  },
  {
    needs: ['versions'],
    says: 'throws a conflict with what the remote holds when somebody else was faster, and leaves that as it is',
    async check(trial) {
      const created = await trial.write('create')
      await trial.otherWrites('contract-1', 2)
      const { remote } = await trial.isRefused(trial.write('update', { ...created, n: 1 }), 'conflict')
      if (remote === undefined) throw new Error('The conflict does not say what the remote holds')
      trial.isState(remote, 'contract-1', 2)
      await trial.isRefused(trial.write('delete', created), 'conflict')
      await trial.holds({ 'contract-1': 2 })
    },
  },
]
