import { longestTimer, longTimer } from '../../../lib/operators/longTimer.ts'
import { describe, expect, test, vi } from 'vitest'
import { marbles } from '../../support/marbles.ts'

describe('longTimer', () => {
  test('emits once, after as long as it was told, and completes', () => {
    marbles(({ expectObservable, scheduler }) => {
      expectObservable(longTimer(5, scheduler)).toBe('-----(a|)', { a: 0 })
    })
  })

  test('that is unsubscribed emits nothing', () => {
    marbles(({ expectObservable, scheduler }) => {
      expectObservable(longTimer(5, scheduler), '---!').toBe('-----')
    })
  })

  test.each([
    ['the longest timer', longestTimer],
    ['a millisecond more than the longest timer', longestTimer + 1],
    ['twice the longest timer', 2 * longestTimer],
    ['a year', 365 * 86_400_000],
  ])('of %s waits as long, with no timer that setTimeout would cut', (_, ms) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'], now: 0 })
    const intervals = vi.spyOn(globalThis, 'setInterval')
    try {
      let at = -1
      longTimer(ms).subscribe(() => (at = Date.now()))
      vi.advanceTimersByTime(ms - 1)
      expect(at).toBe(-1)
      vi.advanceTimersByTime(1)
      expect(at).toBe(ms)
      const delays = intervals.mock.calls.map(([, delay = 0]) => delay)
      expect(Math.max(...delays)).toBeLessThanOrEqual(2 ** 31 - 1)
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
      intervals.mockRestore()
    }
  })
})
