import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { history, SharedCards } from '../../support/sharedCards.ts'

/** Histories of several devices each. */
const numRuns = Number(process.env['HISTORIES'] ?? 300)

test(
  'whatever devices write and remove, in whatever order they reach the remote, they agree with it in the end, and no field is lost that nobody else changed or removed later',
  async () => {
    await fc.assert(
      fc.asyncProperty(history, async (drawn) => {
        const world = new SharedCards(drawn)
        await world.live(drawn.happenings)
        await world.settleDown()
        await world.close()
        expect([world.wrong, world.apart, world.errors, world.time.timers]).toEqual([[], [], [], 0])
      }),
      { numRuns },
    )
  },
  numRuns * 400,
)
