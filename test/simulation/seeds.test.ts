import { expect, test } from 'vitest'
import { bundle, Threads } from '../../scripts/simulation.mjs'
import type { Tally } from './jobs.ts'

/** Lives of one run of the tests; `npm run prove` does any number. */
const dose = Number(process.env['SEEDS'] ?? 2_000)

test(
  'whatever happens to an app, its tabs, its disk and its server, the library keeps its promises',
  { timeout: 300_000 },
  async () => {
    const threads = new Threads(await bundle('library'), 1)
    try {
      const tally: Tally = await threads.one({ does: 'seeds', from: 1, count: dose, untilFailure: false })
      const expected: string[] = await threads.one({ does: 'faults' })
      const broken = tally.failures.map(
        ({ run, finding }) => `${finding.invariant} ${finding.what}: npm run prove -- ${run}`,
      )
      expect(broken).toEqual([])
      expect(expected.filter((fault) => !tally.hits[fault])).toEqual([])
      expect(tally.runs).toBe(dose)
    } finally {
      await threads.close()
    }
  },
)
