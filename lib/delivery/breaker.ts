import type { BreakerConfig } from '../api.ts'
import type { ErrorCategory } from '../types.ts'

/** A circuit breaker for one entity type. Pure: the time is handed in. */
export interface Breaker {
  /** Nobody was reached lately: attempts are probes, and cost nothing. */
  readonly isOpen: boolean
  /** Epoch ms of the next probe; 0 while closed. */
  readonly probeAt: number
  /** Whether one more attempt may begin. */
  allows: (now: number) => boolean
  began: () => void
  /** An attempt came to nothing without an answer, in this lane. */
  unreached: (lane: string, now: number) => void
  /** Somebody answered, whatever was said. */
  answered: () => void
  /** An attempt was given up before anything could be learned. */
  abandoned: () => void
}

/** No answer came: not reached, or not in time. */
export function isUnreached(category: ErrorCategory): boolean {
  return category === 'network' || category === 'timeout'
}

export function createBreaker(config: BreakerConfig | false): Breaker {
  const silent = new Set<string>()
  let wait = 0
  let probeAt = 0
  let probing = false

  return {
    get isOpen() {
      return wait > 0
    },
    get probeAt() {
      return probing ? 0 : probeAt
    },
    allows: (now) => wait === 0 || (!probing && now >= probeAt),
    began() {
      probing = wait > 0
    },
    unreached(lane, now) {
      if (config === false) return
      if (wait === 0) {
        silent.add(lane)
        if (silent.size < config.failures) return
        wait = config.delay
      } else if (probing) {
        wait = Math.min(wait * 2, config.maxDelay)
      } else return
      probing = false
      probeAt = now + wait
    },
    answered() {
      silent.clear()
      wait = 0
      probeAt = 0
      probing = false
    },
    abandoned() {
      probing = false
    },
  }
}
