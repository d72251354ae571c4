import { z } from 'zod'
import { seededRandom } from './seededRandom.ts'

const share = z.number().min(0).max(1).default(0)

/** What can go wrong on purpose. */
export const faultsShape = z.strictObject({
  latencyMs: z.number().int().min(0).max(60_000).default(0),
  captivePortal: z.boolean().default(false),
  unauthorized: z.boolean().default(false),
  rateLimited: z.boolean().default(false),
  retryAfterSeconds: z.number().int().min(0).max(86_400).default(5),
  errorRate: share,
  loseAnswers: share,
  seed: z.number().int().optional(),
})
export type FaultSettings = z.output<typeof faultsShape>

export interface Faults {
  readonly settings: FaultSettings
  set: (settings: FaultSettings) => void
  /** What chance has in store for one request. */
  draw: () => { fails: boolean; losesAnswer: boolean }
}

export function createFaults(): Faults {
  let settings = faultsShape.parse({})
  let random = Math.random
  return {
    get settings() {
      return settings
    },
    set(wanted) {
      settings = wanted
      random = wanted.seed === undefined ? Math.random : seededRandom(wanted.seed)
    },
    draw() {
      // Both are drawn every time, so that a seed gives the same run whatever the rates are.
      const [first, second] = [random(), random()]
      return { fails: first < settings.errorRate, losesAnswer: second < settings.loseAnswers }
    },
  }
}
