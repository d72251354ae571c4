import type { SchedulerLike, Subscription } from 'rxjs'
import { longTimer } from '../operators/longTimer.ts'
import { nextDelay } from '../operators/nextDelay.ts'

export interface TurnsConfig {
  scheduler: SchedulerLike
  random: () => number
  jitter: number
  /** Whether there is something that could be done now. */
  hasWork: () => boolean
  /** Does it; never rejects. */
  work: () => Promise<Turn>
}

/** How a turn ended. */
export interface Turn {
  /** Whether there has to be a pause. */
  pause: boolean
  /** Milliseconds of it. */
  atLeast?: number | undefined
  /** It worked for a while: pauses begin anew. */
  worked?: boolean
}

/** One piece of work after the other, with growing pauses while it fails. */
export interface Turns {
  /** Something may have to be done. */
  kick: () => void
  /** Ends a pause. */
  hurry: () => void
  begin: () => void
  end: () => void
}

/** Between 5 seconds and 5 minutes, like the probes of a breaker. */
const pauses = { maxRetries: Infinity, initialDelay: 5_000, multiplier: 2, maxDelay: 300_000 }

export function createTurns({ scheduler, random, jitter, hasWork, work }: TurnsConfig): Turns {
  let isOpen = false
  let isRunning = false
  let failures = 0
  let timer: Subscription | undefined

  function kick(): void {
    if (!isOpen || isRunning || timer || !hasWork()) return
    isRunning = true
    // Whoever kicks is in the middle of something.
    void Promise.resolve().then(turn)
  }

  async function turn(): Promise<void> {
    // It ended just after somebody kicked.
    if (!isOpen) return void (isRunning = false)
    const { pause, atLeast = 0, worked = !pause } = await work()
    isRunning = false
    failures = (worked ? 0 : failures) + (pause ? 1 : 0)
    if (pause && isOpen) {
      const delay = Math.max(atLeast, nextDelay(failures, pauses, jitter, random))
      timer = longTimer(delay, scheduler).subscribe(hurry)
    }
    kick()
  }

  function hurry(): void {
    timer?.unsubscribe()
    timer = undefined
    kick()
  }

  return {
    kick,
    hurry,
    begin() {
      isOpen = true
      kick()
    },
    end() {
      isOpen = false
      timer?.unsubscribe()
      timer = undefined
    },
  }
}
