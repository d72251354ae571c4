import type { PersistenceStrategy, PullRequest } from 'rx-outbox'
import { type StrategyHarness, strategyContract } from 'rx-outbox/testing'
import { from, lastValueFrom, of } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { memoryHarness, MemoryRemote, type Row } from '../support/memoryRemote.ts'

describe('a strategy in memory', () => {
  it.each(strategyContract('It', memoryHarness))('%s', async (_, check) => {
    await expect(check()).resolves.toBeUndefined()
  })
})

const pageOf = (strategy: PersistenceStrategy<Row>, request: PullRequest) =>
  lastValueFrom(from(strategy.pull?.(request) ?? []))

describe('the contract itself', () => {
  type Spoil = (strategy: PersistenceStrategy<Row>) => Partial<PersistenceStrategy<Row>>

  /** What the suite finds in a strategy with members of its own. */
  async function failing(spoil: Spoil, parts: Partial<StrategyHarness<Row>> = {}): Promise<string[]> {
    const failed: string[] = []
    const harness: StrategyHarness<Row> = {
      ...memoryHarness,
      open: () => {
        const remote = new MemoryRemote()
        const { rows, applied, failNext, arrived, write } = remote
        const connect = () => {
          const strategy = remote.connect()
          return { ...strategy, ...spoil(strategy) }
        }
        return { rows, applied, failNext, arrived, write, connect }
      },
      ...parts,
    }
    for (const [description, check] of strategyContract('', harness))
      await check().catch(() => failed.push(description.trim()))
    return failed
  }

  it('finds nothing where nothing is spoiled', async () => {
    expect(await failing(() => ({}))).toEqual([])
  })

  it('checks only what the harness names, and leaves no `pull` unchecked', async () => {
    expect(await failing(() => ({}), { features: [], failures: [] })).toEqual([
      'is checked for all that it has: `pull` and `changes$` are named where they are there, and only there',
    ])
  })

  it('finds a pull that ends a page too early', async () => {
    const failed = await failing((strategy) => ({
      pull: async (request) => ({ ...(await pageOf(strategy, request)), more: false }),
    }))
    expect(failed).toContain('pulls every row once, whatever the limit, and no page is longer than that')
  })

  it('finds a pull that knows no limit, and one that repeats its last row', async () => {
    const unlimited = await failing((strategy) => ({
      pull: (request) => strategy.pull?.({ ...request, limit: 100 }) ?? [],
    }))
    expect(unlimited).toEqual(['pulls every row once, whatever the limit, and no page is longer than that'])
    const back = (checkpoint: unknown) =>
      typeof checkpoint === 'string' ? `r${Number(checkpoint.slice(1)) - 1}` : checkpoint
    const repeating = await failing((strategy) => ({
      pull: (request) =>
        strategy.pull?.({ ...request, limit: request.limit + 1, checkpoint: back(request.checkpoint) }) ?? [],
    }))
    expect(repeating).toContain('pulls nothing twice: the next pull is empty, and so is the one after it')
  })

  it('finds a pull without tombstones', async () => {
    const failed = await failing((strategy) => ({
      pull: async (request) => ({ ...(await pageOf(strategy, request)), deleted: [] }),
    }))
    expect(failed).toEqual([
      'pulls what changed since a checkpoint, and tombstones of what was deleted',
      'misses nothing that changes between two pages',
    ])
  })

  it('finds a checkpoint that only this run of the app understands', async () => {
    const failed = await failing((strategy) => {
      const own = new Map<string, unknown>()
      return {
        pull: async (request) => {
          const page = await pageOf(strategy, { ...request, checkpoint: own.get(String(request.checkpoint)) })
          const checkpoint = `own ${String(page.checkpoint)}`
          own.set(checkpoint, page.checkpoint)
          return { ...page, checkpoint }
        },
      }
    })
    expect(failed).toEqual(['goes on from any checkpoint, also in another run of the app'])
  })

  it('finds changes that are told as something else', async () => {
    const failed = await failing(() => ({ changes$: of({ id: 'contract-1', data: { id: 'contract-1', text: 'no' } }) }))
    expect(failed).toHaveLength(2)
  })

  it('finds an update that overwrites what somebody else wrote', async () => {
    const failed = await failing((strategy) => ({
      persistUpdate: (entity, { version: _, ...attempt }) => strategy.persistUpdate(entity, attempt),
    }))
    expect(failed).toEqual([
      'throws a conflict with what the remote holds when somebody else was faster, and leaves that as it is',
    ])
  })
})
