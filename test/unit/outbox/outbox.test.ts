import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EntityRef } from '../../../lib/types.ts'
import { history, knows, OutboxLife, type Step } from '../../support/outboxLife.ts'
import { misplaced, misranked } from '../../support/whoMayGo.ts'

describe('whatever happens', () => {
  test('each lane is where its first task belongs: ready, waiting for others, parked or in flight', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const life = new OutboxLife()
        for (const step of steps) {
          await life.happen(step)
          expectNone(misplaced(life.state, knows))
        }
      }),
      { numRuns: 400 },
    )
  })

  test('a lane ranks as high as the most urgent of those who wait in it, or for it', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const life = new OutboxLife()
        for (const step of steps.map(withoutCircles)) {
          await life.happen(step)
          expectNone(misranked(life.state))
        }
      }),
      { numRuns: 400 },
    )
  })

  test('every task ends once, and what has not ended is there', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const life = new OutboxLife()
        await life.live(steps)
        const taken = new Set<string>()
        const ended = new Map<string, string>()
        for (const fact of life.facts) {
          if (fact.is === 'enqueued') taken.add(fact.entry.id)
          if (fact.is !== 'ended' || fact.removed || ['retrying', 'conflict'].includes(fact.end.status)) continue
          expect(ended.get(fact.entry.id)).toBeUndefined()
          ended.set(fact.entry.id, fact.end.status)
        }
        const live = [...life.state.tasks.values()].filter(({ state }) => state !== 'dead')
        expect([...ended.keys(), ...live.map(({ id }) => id)].sort()).toEqual([...taken].sort())
        for (const { id, outcome } of life.state.dead) expect(ended.get(id)).toBe(outcome)
        expect(life.errors).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})

/** Lanes that wait for each other in a circle hurry each other, also when who was in a hurry has gone. */
function withoutCircles(step: Step): Step {
  if (step.does !== 'add') return step
  const name = ({ entityType, id }: EntityRef) => `${entityType}${id}`
  return { ...step, dependsOn: step.dependsOn.filter((on) => name(on) > name(step.ref)) }
}

/** As `expect(wrong).toEqual([])`, a thousand times faster. */
function expectNone(wrong: string[]): void {
  if (wrong.length > 0) throw new RangeError(wrong.join('; '))
}
