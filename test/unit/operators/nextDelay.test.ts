import * as fc from 'fast-check'
import { nextDelay, type RetryConfig } from 'rx-outbox'
import { describe, expect, test } from 'vitest'

const minute = 60_000
const defaults: RetryConfig = { maxRetries: 3, initialDelay: 180_000, multiplier: 4, maxDelay: 3_600_000 }

describe('nextDelay', () => {
  test.each([
    [1, 3 * minute],
    [2, 12 * minute],
    [3, 48 * minute],
    [4, 60 * minute],
    [400, 60 * minute],
  ])('before retry %i is %i ms by the defaults', (retryCount, delay) => {
    expect(nextDelay(retryCount, defaults)).toBe(delay)
  })

  test('is maxDelay where initialDelay is longer', () => {
    expect(nextDelay(1, { ...defaults, initialDelay: 10, maxDelay: 4 })).toBe(4)
  })

  test('stays as it is with a multiplier of 1, and shrinks with a smaller one', () => {
    expect(nextDelay(7, { ...defaults, multiplier: 1 })).toBe(180_000)
    expect(nextDelay(3, { ...defaults, multiplier: 0.5 })).toBe(45_000)
  })

  test('asks chance only for a jitter', () => {
    const random = () => expect.unreachable('chance was asked')
    expect(nextDelay(2, defaults, 0, random)).toBe(12 * minute)
  })

  test('loses by jitter at most its share, and is whole milliseconds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (retryCount, jitter, chance) => {
          const whole = nextDelay(retryCount, defaults)
          const delay = nextDelay(retryCount, defaults, jitter, () => chance)
          expect(Number.isInteger(delay)).toBe(true)
          expect(delay).toBeLessThanOrEqual(whole)
          expect(delay).toBeGreaterThanOrEqual(Math.floor(whole * (1 - jitter)))
        },
      ),
    )
  })

  test('takes the more away, the more chance says', () => {
    expect([0, 0.5, 0.75].map((chance) => nextDelay(1, defaults, 0.4, () => chance))).toEqual([
      180_000, 144_000, 126_000,
    ])
  })
})
