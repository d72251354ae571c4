import type { StrategyRule } from './strategyTrial.ts'

export const writeChecks: readonly StrategyRule[] = [
  {
    says: 'applies a create, an update and a delete; what a receipt says fits the next write',
    async check(trial) {
      const created = await trial.write('create')
      await trial.holds({ 'contract-1': 0 })
      const updated = await trial.write('update', { ...created, n: 1 })
      await trial.holds({ 'contract-1': 1 })
      await trial.write('delete', { ...created, ...updated })
      await trial.holds({})
      await trial.hasApplied('create', 'update', 'delete')
    },
  },
  {
    says: 'applies a key once, however often it is sent',
    async check(trial) {
      const created = await trial.write('create')
      await trial.write('create', { attempt: 2 })
      const updated = await trial.write('update', { ...created, n: 1 })
      await trial.write('update', { ...created, n: 1, attempt: 2 })
      await trial.write('delete', { ...created, ...updated })
      await trial.write('delete', { ...created, ...updated, attempt: 2 })
      await trial.hasApplied('create', 'update', 'delete')
      await trial.holds({})
    },
  },
  {
    says: 'applies a key once, also for another run of the app',
    async check(trial) {
      const created = await trial.write('create')
      trial.restart()
      await trial.write('create', { attempt: 2 })
      await trial.write('update', { ...created, n: 1 })
      trial.restart()
      await trial.write('update', { ...created, n: 1, attempt: 2 })
      await trial.hasApplied('create', 'update')
      await trial.holds({ 'contract-1': 1 })
    },
  },
  {
    says: 'leaves the last of many changes, each sent when the one before was confirmed, beside other entities',
    async check(trial) {
      const ids = ['contract-1', 'contract-2', 'contract-3']
      const lane = async (id: string) => {
        const { backendId, ...created } = await trial.write('create', { id })
        let { version } = created
        for (let n = 1; n <= 4; n++) {
          const known = { ...(backendId !== undefined && { backendId }), ...(version !== undefined && { version }) }
          ;({ version } = await trial.write('update', { id, n, ...known }))
        }
      }
      await Promise.all(ids.map(lane))
      await trial.holds(Object.fromEntries(ids.map((id) => [id, 4])))
    },
  },
  {
    says: 'sends nothing when its signal is aborted already',
    async check(trial) {
      await trial.rejection(trial.write('create', { signal: AbortSignal.abort() }))
      await trial.hasApplied()
      await trial.holds({})
    },
  },
  {
    says: 'settles when it is aborted at whatever moment, and the next attempt leaves one effect',
    async check(trial) {
      const ids = Array.from({ length: 12 }, (_, turns) => `contract-${turns}`)
      for (const [turns, id] of ids.entries()) {
        const controller = new AbortController()
        const attempt = trial.write('create', { id, signal: controller.signal }).catch(() => undefined)
        for (let turn = 0; turn < turns; turn++) await Promise.resolve()
        controller.abort(new Error('enough'))
        await attempt
        await trial.write('create', { id, attempt: 2 })
      }
      await trial.holds(Object.fromEntries(ids.map((id) => [id, 0])))
      await trial.hasApplied(...ids.map(() => 'create' as const))
    },
  },
  {
    says: 'never says of a write that was applied that it was not',
    async check(trial) {
      const created = await trial.write('create')
      const found = await trial.reconcile({ ...created, attempt: 2 })
      if (found !== 'unknown' && !found.applied) throw new Error('The create was applied, and is said not to be')
    },
  },
]
