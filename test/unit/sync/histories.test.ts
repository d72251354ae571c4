import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { climates, histories, SyncLife } from '../../support/syncLife.ts'

const numRuns = Number(process.env['HISTORIES'] ?? 300)

test(
  'whatever happens, the app reads what it wrote and what it has read, and ends equal to the remote',
  async () => {
    await fc.assert(
      fc.asyncProperty(climates, histories, async (climate, history) => {
        const life = new SyncLife(climate)
        await life.live(history)
        await life.settleDown()
        expect(life.wrong).toEqual([])
        const texts = [...life.server.rows].flatMap(([id, { data }]) => (data ? [[id, data.text]] : []))
        expect(Object.fromEntries(life.shown)).toEqual(Object.fromEntries(texts))
        await life.close()
      }),
      { numRuns },
    )
  },
  numRuns * 400,
)
