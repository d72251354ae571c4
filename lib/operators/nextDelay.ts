import type { RetryConfig } from '../types.ts'

/**
 * Milliseconds before retry number `retryCount` (from 1): `initialDelay × multiplier^(retryCount − 1)`, at most
 * `maxDelay`. `jitter` is the share that chance takes away, `random()` being 0 ≤ x < 1.
 *
 * @example nextDelay(3, { maxRetries: 3, initialDelay: 180_000, multiplier: 4, maxDelay: 3_600_000 }) // 2_880_000
 */
export function nextDelay(retryCount: number, config: RetryConfig, jitter = 0, random: () => number = () => 0): number {
  const { initialDelay, multiplier, maxDelay } = config
  const delay = Math.min(initialDelay * multiplier ** (retryCount - 1), maxDelay)
  return jitter === 0 ? delay : Math.round(delay * (1 - jitter * random()))
}
