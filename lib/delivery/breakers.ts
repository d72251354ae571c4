import type { BreakerConfig } from '../api.ts'
import type { Lane } from '../outbox/lane.ts'
import type { Outbox } from '../outbox/outbox.ts'
import { type Breaker, createBreaker } from './breaker.ts'

/** The breakers of all entity types, and the lanes that were probed in vain: others of their type are probed first. */
export interface Breakers {
  of: (entityType: string) => Breaker
  /** Epoch ms of the next probe that is still to come. */
  nextProbe: (now: number) => number
  setAside: (lane: Lane) => void
  /** Brings back who was set aside, where the breaker has closed or nobody else of the type could go. */
  recall: () => void
}

export function createBreakers(
  config: BreakerConfig | false,
  { schedule, refresh }: Pick<Outbox, 'schedule' | 'refresh'>,
): Breakers {
  const breakers = new Map<string, Breaker>()
  const aside = new Map<string, Lane[]>()

  function of(entityType: string): Breaker {
    const known = breakers.get(entityType)
    if (known) return known
    const made = createBreaker(config)
    breakers.set(entityType, made)
    return made
  }

  return {
    of,
    nextProbe(now) {
      let at = Infinity
      for (const { probeAt } of breakers.values()) if (probeAt > now && probeAt < at) at = probeAt
      return at
    },
    setAside(lane) {
      schedule.delete(lane)
      const lanes = aside.get(lane.entityType)
      if (lanes) lanes.push(lane)
      else aside.set(lane.entityType, [lane])
    },
    recall() {
      for (const [type, lanes] of aside) {
        if (of(type).isOpen && schedule.ready((gate) => gate === type) > 0) continue
        aside.delete(type)
        refresh(lanes)
      }
    },
  }
}
