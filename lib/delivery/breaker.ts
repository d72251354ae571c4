import type { BreakerConfig } from '../api.ts'
import type { ErrorCategory } from '../types.ts'

/** A circuit breaker for one entity type. Pure: the time is handed in. */
export interface Breaker {
  /** Nobody was reached lately: attempts are probes, and cost nothing. */
  readonly isOpen: boolean
  /** Epoch ms of the next probe; 0 while closed, or while one is under way. */
  readonly probeAt: number
  /** Whether one more attempt may begin. */
  allows: (now: number) => boolean
  began: (lane: string) => void
  /** An attempt came to nothing without an answer, in this lane. */
  unreached: (lane: string, now: number) => void
  /** Somebody answered, whatever was said. */
  answered: () => void
  /** An attempt was given up before anything could be learned. */
  abandoned: (lane: string) => void
}

/** No answer came: not reached, or not in time. */
export function isUnreached(category: ErrorCategory): boolean {
  return category === 'network' || category === 'timeout'
}

export function createBreaker(config: BreakerConfig | false): Breaker {
  const silent = new Set<string>()
  let wait = 0
  let probeAt = 0
  /** The lane of the probe under way. What was in flight when it opened is none. */
  let probe: string | undefined

  return {
    get isOpen() {
      return wait > 0
    },
    get probeAt() {
      return probe === undefined ? probeAt : 0
    },
    allows(now) {
      if (wait === 0) return true
      // A clock that was set back makes nobody wait for longer.
      return probe === undefined && (now >= probeAt || probeAt - now > wait)
    },
    began(lane) {
      if (wait > 0) probe = lane
    },
    unreached(lane, now) {
      if (config === false) return
      if (wait === 0) {
        silent.add(lane)
        if (silent.size < config.failures) return
        wait = config.delay
      } else if (probe === lane) {
        wait = Math.min(wait * 2, config.maxDelay)
      } else return
      probe = undefined
      probeAt = now + wait
    },
    answered() {
      silent.clear()
      wait = 0
      probeAt = 0
      probe = undefined
    },
    abandoned(lane) {
      if (probe === lane) probe = undefined
    },
  }
}
