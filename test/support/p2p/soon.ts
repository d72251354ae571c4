import { vi } from 'vitest'

/** Resolves when `check` no longer throws. */
export function soon<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { interval: 2, timeout: 10_000 })
}
