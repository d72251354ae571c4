import type { Due } from './loop.ts'
import type { Pending } from '../script.ts'
import type { World } from './world.ts'

/** A call of a store that is under way. */
interface Underway {
  /** The tab died: what becomes of the call. */
  end: (pending: Pending) => void
}

/** One run of a tab, from opening to closing or death. What it asked for comes only while it lives, and not while it is frozen. */
export class Life {
  isAlive = true
  isFrozen = false
  /** Waits for a call that is never answered. */
  isStuck = false
  /** The calls of its store are rejected until then (ms). */
  deadHandleUntil = 0
  /** Timers that the library has set. */
  timers = 0
  readonly underway = new Set<Underway>()
  readonly id: number
  readonly tab: number
  private readonly world: World
  private readonly deferred: Due[] = []
  private readonly lastWords: (() => void)[] = []

  constructor(world: World, tab: number) {
    this.world = world
    this.tab = tab
    this.id = world.lives++
  }

  /** A yield point: the tab may die here. Says whether it lives on. */
  step(): boolean {
    if (!this.isAlive) return false
    this.world.step(this)
    return this.isAlive
  }

  onDeath(last: () => void): void {
    this.lastWords.push(last)
  }

  die(pending: Pending): void {
    if (!this.isAlive) return
    this.isAlive = false
    for (const { end } of this.underway) end(pending)
    this.underway.clear()
    for (const last of this.lastWords.splice(0)) last()
  }

  /** What would happen now waits for the thaw. */
  defer(due: Due): boolean {
    if (this.isFrozen) this.deferred.push(due)
    return this.isFrozen
  }

  freeze(): void {
    this.isFrozen = true
  }

  thaw(): void {
    if (!this.isFrozen) return
    this.isFrozen = false
    for (const due of this.deferred.splice(0)) this.world.loop.in(0, () => due.isCancelled || due.run(), this)
  }
}
