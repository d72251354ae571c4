import type { PullPage } from '../remote.ts'
import { soundRows } from './soundRows.ts'
import { sameIds, type StrategyRule, type StrategyTrial } from './strategyTrial.ts'

const ids = ['contract-1', 'contract-2', 'contract-3', 'contract-4', 'contract-5', 'contract-6', 'contract-7']

async function fill<T>(trial: StrategyTrial<T>): Promise<void> {
  for (const id of ids) await trial.otherWrites(id, 0)
}

const changedIn = <T>(pages: PullPage<T>[]) => pages.flatMap(soundRows).map(({ id }) => id)
const deletedIn = <T>(pages: PullPage<T>[]) => pages.flatMap(({ deleted }) => deleted)
const endOf = <T>(pages: PullPage<T>[]) => pages.at(-1)?.checkpoint

export const pullChecks: readonly StrategyRule[] = [
  {
    needs: ['pull'],
    says: 'pulls every row once, whatever the limit, and no page is longer than that',
    async check(trial) {
      await fill(trial)
      for (const limit of [1, 2, 3, 7, 100]) {
        const pages = await trial.pullAll(undefined, limit)
        sameIds(changedIn(pages), ids, `With a limit of ${limit} there came`)
        for (const page of pages) {
          const length = page.changed.length + page.deleted.length
          if (length > limit) throw new Error(`A page has ${length} rows, and the limit is ${limit}`)
          for (const { id, data } of soundRows(page)) trial.isState(data, id, 0)
        }
      }
    },
  },
  {
    needs: ['pull'],
    says: 'pulls nothing from a remote that holds nothing, and then what comes',
    async check(trial) {
      const pages = await trial.pullAll(undefined, 10)
      sameIds(changedIn(pages), [], 'There came')
      await trial.otherWrites('contract-1', 0)
      sameIds(changedIn(await trial.pullAll(endOf(pages), 10)), ['contract-1'], 'There came')
    },
  },
  {
    needs: ['pull'],
    says: 'pulls nothing twice: the next pull is empty, and so is the one after it',
    async check(trial) {
      await fill(trial)
      let checkpoint = endOf(await trial.pullAll(undefined, 3))
      for (let round = 0; round < 2; round++) {
        const pages = await trial.pullAll(checkpoint, 3)
        sameIds([...changedIn(pages), ...deletedIn(pages)], [], 'There came')
        checkpoint = endOf(pages)
      }
    },
  },
  {
    needs: ['pull'],
    says: 'pulls what changed since a checkpoint, and tombstones of what was deleted',
    async check(trial) {
      await fill(trial)
      const checkpoint = endOf(await trial.pullAll(undefined, 3))
      await trial.otherWrites('contract-2', 1)
      await trial.otherWrites('contract-5', 1)
      await trial.otherWrites('contract-5', 2)
      await trial.otherWrites('contract-6')
      await trial.otherWrites('contract-8', 0)
      await trial.otherWrites('contract-8')
      const pages = await trial.pullAll(checkpoint, 2)
      const rows = await folded(trial, checkpoint, 2)
      trial.isState(rows.get('contract-2'), 'contract-2', 1)
      trial.isState(rows.get('contract-5'), 'contract-5', 2)
      sameIds(rows.keys(), ['contract-2', 'contract-5'], 'There came')
      const deleted = deletedIn(pages)
      if (!deleted.includes('contract-6')) throw new Error('There is no tombstone of contract-6')
      // Who never had it may be told that it is gone.
      sameIds(new Set([...deleted, 'contract-8']), ['contract-6', 'contract-8'], 'Deleted are')
    },
  },
  {
    needs: ['pull'],
    says: 'goes on from any checkpoint, also in another run of the app',
    async check(trial) {
      await fill(trial)
      const pages = await trial.pullAll(undefined, 2)
      for (const [i, { checkpoint }] of pages.entries()) {
        trial.restart()
        const rest = await trial.pullAll(checkpoint, 2)
        sameIds(changedIn(rest), changedIn(pages.slice(i + 1)), `After page ${i + 1} there came`)
      }
    },
  },
  {
    needs: ['pull'],
    says: 'misses nothing that changes between two pages',
    async check(trial) {
      await fill(trial)
      const writes: (() => void | Promise<void>)[] = [
        () => trial.otherWrites('contract-1', 1),
        () => trial.otherWrites('contract-7', 1),
        () => trial.otherWrites('contract-3'),
        () => trial.otherWrites('contract-9', 0),
      ]
      const rows = await folded(trial, undefined, 2, async () => writes.shift()?.())
      sameIds(
        rows.keys(),
        ['contract-1', 'contract-2', 'contract-4', 'contract-5', 'contract-6', 'contract-7', 'contract-9'],
        'In the end there are',
      )
      trial.isState(rows.get('contract-1'), 'contract-1', 1)
      trial.isState(rows.get('contract-7'), 'contract-7', 1)
    },
  },
  {
    needs: ['pull'],
    says: 'pulls what was written through it, with the version of its receipt',
    async check(trial) {
      const { version } = await trial.write('create')
      const [row] = (await trial.pullAll(undefined, 10)).flatMap(soundRows)
      trial.isState(row?.data, 'contract-1', 0)
      // A header says as text what JSON says as a number.
      if (version !== undefined && String(row?.version) !== String(version))
        throw new Error(`The row's version is ${row?.version}, and the receipt said ${version}`)
    },
  },
  {
    needs: ['pull'],
    says: 'does not pull when its signal is aborted already',
    async check(trial) {
      await fill(trial)
      await trial.rejection(trial.pull(undefined, 2, AbortSignal.abort()))
    },
  },
  {
    needs: ['pull', 'silent'],
    says: 'lets go of a pull that is not answered when its signal is aborted',
    async check(trial) {
      await trial.abortSilent((signal) => trial.pull(undefined, 2, signal))
    },
  },
  {
    needs: ['pull', 'unreachable'],
    says: 'throws when the remote is unreachable, and goes on from the same checkpoint',
    async check(trial) {
      await fill(trial)
      const first = await trial.pull(undefined, 2)
      await trial.failNext('unreachable')
      await trial.isRefused(trial.pull(first.checkpoint, 2), 'network')
      const rest = await trial.pullAll(first.checkpoint, 2)
      sameIds(changedIn([first, ...rest]), ids, 'There came')
    },
  },
]

/** What an app holds that takes every page over, and pulls again until nothing is new. */
async function folded<T>(
  trial: StrategyTrial<T>,
  from: unknown,
  limit: number,
  between: () => Promise<void> = () => Promise.resolve(),
): Promise<Map<string, T>> {
  const rows = new Map<string, T>()
  let checkpoint = from
  for (let rounds = 0, isNew = true; isNew; rounds++) {
    if (rounds > 1_000) throw new Error('After 1,000 pages there are more')
    const page = await trial.pull(checkpoint, limit)
    for (const { id, data } of soundRows(page)) rows.set(id, data)
    for (const id of page.deleted) rows.delete(id)
    checkpoint = page.checkpoint
    isNew = page.more || page.changed.length + page.deleted.length > 0
    await between()
  }
  return rows
}
