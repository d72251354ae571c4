import type { PersistenceStrategy } from 'rx-outbox'
import { type StrategyHarness, strategyContract } from 'rx-outbox/testing'
import { catchError, from, of } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { memoryHarness, type Row } from '../support/memoryRemote.ts'
import { serveRows } from '../support/rowServer.ts'

const harness: StrategyHarness<Row> = { ...memoryHarness, features: ['versions', 'pull'], open: serveRows }

describe('a remote that remembers keys', () => {
  it.each(strategyContract('restStrategy', harness))('%s', async (_, check) => {
    await expect(check()).resolves.toBeUndefined()
  })
})

describe('a remote that knows no keys but versions', () => {
  const forgetful = { ...harness, open: () => serveRows({ forgetful: true }) }
  it.each(strategyContract('restStrategy', forgetful))('%s', async (_, check) => {
    await expect(check()).resolves.toBeUndefined()
  })
})

type Spoil = (strategy: PersistenceStrategy<Row>) => Partial<PersistenceStrategy<Row>>

/** A strategy whose creates go wrong in one way or another when the real one throws. */
const spoiled =
  (onError: () => object): Spoil =>
  (strategy) => ({
    persistCreate: (row, attempt) => from(strategy.persistCreate(row, attempt)).pipe(catchError(() => of(onError()))),
  })

describe('the contract itself', () => {
  async function failing(spoil: Spoil) {
    const failed: string[] = []
    const open = async () => {
      const remote = await serveRows()
      const connect = () => ({ ...remote.connect(), ...spoil(remote.connect()) })
      return { ...remote, connect }
    }
    for (const [description, check] of strategyContract('It', { ...harness, open })) {
      await check().catch(() => failed.push(description))
    }
    return failed
  }

  it('finds a strategy that makes up a key at each attempt', async () => {
    let made = 0
    const failed = await failing((strategy) => ({
      persistUpdate: (row, { version, ...attempt }) => {
        made += 1
        return strategy.persistUpdate(row, { ...attempt, idempotencyKey: `${made} ${version}` })
      },
    }))
    expect(failed).toEqual([
      'It applies a key once, however often it is sent',
      'It applies a key once, also for another run of the app',
      'It throws a conflict with what the remote holds when somebody else was faster, and leaves that as it is',
    ])
  })

  it('finds a strategy that throws whatever it got', async () => {
    const failed = await failing(
      spoiled(() => {
        throw new Error('oh no')
      }),
    )
    expect(failed).toEqual([
      'It fails when an answer is lost, and is done with the next attempt',
      'It throws a PersistenceError of category network when the remote is unreachable, and applies nothing',
      'It throws a PersistenceError of category server when the remote is failing, and applies nothing',
      'It throws a PersistenceError of category client when the remote is refusing, and applies nothing',
      'It throws a PersistenceError of category auth when the remote is unauthorized, and applies nothing',
      'It throws a PersistenceError of category rate-limit when the remote is rate-limited, and applies nothing',
      'It says how long a remote asked to be left alone',
    ])
  })

  it('finds a strategy that swallows its errors', async () => {
    const failed = await failing(spoiled(() => ({})))
    expect(failed).toHaveLength(9)
    expect(failed).toContain('It lets go of a silent remote when its signal is aborted, and applies nothing later')
  })
})
