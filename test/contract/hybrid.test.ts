import type { PersistenceStrategy } from 'rx-outbox'
import { all, any, fallback, quorum, route } from 'rx-outbox/hybrid'
import { type StrategyHarness, strategyContract, type StrategyRemote } from 'rx-outbox/testing'
import { describe, expect, it } from 'vitest'
import { memoryHarness, MemoryRemote, type Row } from '../support/memoryRemote.ts'
import { serveRows } from '../support/rowServer.ts'

interface Combined {
  remotes: StrategyRemote<Row>[]
  connect: () => PersistenceStrategy<Row>
  /** Which of them fail when the whole is told to. */
  fail?: number[]
  /** Whether each of them has to hold the same in the end, where nothing failed and nobody else wrote. */
  areEqual?: boolean
}

/** The first remote is the primary: it is the one that others write to. */
function harnessOf(
  combine: () => Combined | Promise<Combined>,
  parts: Partial<StrategyHarness<Row>> = {},
): StrategyHarness<Row> {
  return {
    ...memoryHarness,
    async open() {
      const { remotes, connect, fail = [0], areEqual = false } = await combine()
      const [primary] = remotes as [StrategyRemote<Row>, ...StrategyRemote<Row>[]]
      let isCalm = true
      return {
        connect,
        applied: () => primary.applied?.() ?? [],
        rows: () => primary.rows(),
        arrived: () =>
          Promise.race(
            fail.map((i) => remotes[i]?.arrived?.() ?? Promise.reject(new Error(`There is no remote ${i}`))),
          ),
        async failNext(failure) {
          isCalm = false
          for (const [i, remote] of remotes.entries()) if (fail.includes(i)) await remote.failNext?.(failure)
        },
        write(id, data) {
          isCalm = false
          return primary.write?.(id, data)
        },
        async close() {
          if (areEqual && isCalm)
            for (const remote of remotes) expect(await remote.rows()).toEqual(await primary.rows())
          for (const remote of remotes) await remote.close?.()
        },
      }
    },
    ...parts,
  }
}

const two = () => [new MemoryRemote(), new MemoryRemote()] as const
const three = () => [new MemoryRemote(), new MemoryRemote(), new MemoryRemote()] as const
const one = () => {
  const remote = new MemoryRemote()
  return [remote, remote] as const
}

const harnesses: [string, StrategyHarness<Row>][] = [
  [
    'all of two',
    harnessOf(() => {
      const [a, b] = two()
      return { remotes: [a, b], connect: () => all({ a: a.connect(), b: b.connect() }), areEqual: true }
    }),
  ],
  [
    'all of two, of which the second fails',
    harnessOf(() => {
      const [a, b] = two()
      // Seen from the leg that fails: what is read there is not what others write to.
      const connect = () => all({ a: a.connect(), b: b.connect() }, { primary: 'b', reads: ['b'] })
      return { remotes: [b, a], connect, areEqual: true }
    }),
  ],
  [
    'any of two',
    harnessOf(
      () => {
        const [a, b] = two()
        return { remotes: [a, b], connect: () => any({ a: a.connect(), b: b.connect() }), fail: [0, 1], areEqual: true }
      },
      { features: ['pull', 'changes'] },
    ),
  ],
  [
    'a quorum of two of three',
    harnessOf(
      () => {
        const [a, b, c] = three()
        const connect = () => quorum(2, { a: a.connect(), b: b.connect(), c: c.connect() })
        return { remotes: [a, b, c], connect, fail: [0, 1, 2], areEqual: true }
      },
      { features: ['pull', 'changes'] },
    ),
  ],
  [
    'two ways to one backend',
    harnessOf(
      () => {
        const [a, b] = one()
        const connect = () => fallback({ a: a.connect(), b: b.connect() }, { oneBackend: true })
        return { remotes: [a, b], connect, fail: [0, 1] }
      },
      { failures: [] },
    ),
  ],
  [
    'a fallback of two',
    harnessOf(() => {
      const [a, b] = two()
      return { remotes: [a, b], connect: () => fallback({ a: a.connect(), b: b.connect() }), fail: [0, 1] }
    }),
  ],
  [
    'a route by operation to one backend',
    harnessOf(() => {
      const [a] = one()
      const legs = () => ({ write: a.connect(), erase: a.connect() })
      const connect = () =>
        route(({ operation }) => (operation === 'delete' ? 'erase' : 'write'), legs(), { reads: ['write'] })
      return { remotes: [a], connect }
    }),
  ],
  [
    'all of REST and memory',
    harnessOf(
      async () => {
        const server = await serveRows()
        const memory = new MemoryRemote()
        const connect = () => all({ rest: server.connect(), memory: memory.connect() })
        return { remotes: [server, memory], connect, areEqual: true }
      },
      { features: ['versions', 'pull'] },
    ),
  ],
]

describe.each(harnesses)('%s', (_name, harness) => {
  it.each(strategyContract('It', harness))('%s', async (_, check) => {
    await expect(check()).resolves.toBeUndefined()
  })
})
