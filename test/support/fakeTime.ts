import { afterEach, beforeEach, vi } from 'vitest'

/** The day on which tests begin. */
export const start = Date.UTC(2025, 0, 6)

export const second = 1_000
export const minute = 60 * second
export const hour = 60 * minute

/** Every test of the file runs on fake timers, from `start`. */
export function useFakeTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'], now: start })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
}

/** Lets `ms` pass, and everything that is due meanwhile happen. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

/** Lets happen what needs no time. */
export async function now(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0)
}
