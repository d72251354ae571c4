import { filter, firstValueFrom } from 'rxjs'
import type { RemoteChange } from '../remote.ts'
import type { StrategyRule, StrategyTrial } from './strategyTrial.ts'

/** What is told of a write of somebody else; rejects where the stream ends without a word. */
async function told<T>(
  trial: StrategyTrial<T>,
  fits: (change: RemoteChange<T>) => boolean,
  write: () => void | Promise<void>,
): Promise<RemoteChange<T>> {
  const { changes$ } = trial.strategy
  if (!changes$) throw new Error('The harness names `changes`, and the strategy has no `changes$`')
  const change = firstValueFrom(changes$.pipe(filter((one) => 'hint' in one || fits(one))))
  await trial.listening()
  await write()
  return change
}

export const changesChecks: readonly StrategyRule[] = [
  {
    needs: ['changes'],
    says: 'tells of what somebody else wrote, or hints that there is something to pull',
    async check(trial) {
      const change = await told(
        trial,
        (one) => 'data' in one && one.id === 'contract-1',
        () => trial.otherWrites('contract-1', 0),
      )
      if ('data' in change) trial.isState(change.data, 'contract-1', 0)
    },
  },
  {
    needs: ['changes'],
    says: 'tells of what somebody else deleted, or hints that there is something to pull',
    async check(trial) {
      await trial.otherWrites('contract-1', 0)
      await told(
        trial,
        (change) => 'deleted' in change && change.id === 'contract-1',
        () => trial.otherWrites('contract-1'),
      )
    },
  },
]
