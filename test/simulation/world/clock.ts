import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs'
import type { Life } from './life.ts'
import type { Due } from './loop.ts'
import type { World } from './world.ts'

/** Beyond it, a browser's timer rings at once. */
const longestTimer = 2 ** 31 - 1

/** The clock and the timers of one life: the wall clock jumps, timers do not. */
export function clockOf(world: World, life: Life): SchedulerLike {
  return {
    now: () => world.clock,
    schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T): Subscription {
      return new Timer(world, life, work).schedule(state, delay)
    },
  }
}

class Timer<T> extends Subscription {
  private readonly world: World
  private readonly life: Life
  private readonly work: (this: SchedulerAction<T>, state?: T) => void
  private due: Due | undefined

  constructor(world: World, life: Life, work: (this: SchedulerAction<T>, state?: T) => void) {
    super()
    this.world = world
    this.life = life
    this.work = work
  }

  schedule(state?: T, delay = 0): Subscription {
    if (this.closed) return this
    this.cancel()
    this.life.timers++
    const ms = delay > longestTimer || !(delay >= 0) ? 0 : delay
    this.due = this.world.loop.in(
      ms,
      () => {
        this.due = undefined
        this.life.timers--
        if (this.closed || !this.life.step()) return
        Reflect.apply(this.work, this, [state])
      },
      this.life,
    )
    return this
  }

  override unsubscribe(): void {
    this.cancel()
    super.unsubscribe()
  }

  private cancel(): void {
    if (!this.due) return
    this.due.isCancelled = true
    this.due = undefined
    this.life.timers--
  }
}
