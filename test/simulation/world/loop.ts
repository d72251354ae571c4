import type { Life } from './life.ts'

/** Something that will happen; of a life, only while it lives, and not while it is frozen. */
export interface Due {
  readonly at: number
  readonly order: number
  readonly life: Life | undefined
  run: () => void
  isCancelled: boolean
}

/** More than ever happens in one life of an app. */
const most = 50_000

/** Virtual time: nothing happens but what was asked for, one after the other, in the same order every time. */
export class Loop {
  now: number
  private readonly heap: Due[] = []
  private orders = 0
  private events = 0

  constructor(start: number) {
    this.now = start
  }

  in(ms: number, run: () => void, life?: Life): Due {
    const due = { at: this.now + Math.max(0, ms), order: this.orders++, life, run, isCancelled: false }
    this.push(due)
    return due
  }

  /** Runs what is due, in order, until `done` or `limit` (epoch ms); says whether it was `done`. */
  async run(done: () => boolean, limit: number): Promise<boolean> {
    await settled()
    for (;;) {
      // What happens in one moment is one: to ask in between costs more than what happens.
      if (this.heap[0]?.at !== this.now && done()) return true
      const next = this.pop(limit)
      if (!next) {
        this.now = Math.max(this.now, limit)
        return done()
      }
      this.now = Math.max(this.now, next.at)
      if (++this.events > most) throw new RangeError(`More than ${most} things happened: they will never end.`)
      if (next.life?.defer(next)) continue
      next.run()
      await settled()
    }
  }

  private push(due: Due): void {
    const { heap } = this
    let at = heap.length
    heap.push(due)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]
      if (!parent || before(parent, due)) break
      heap[at] = parent
      at = above
    }
    heap[at] = due
  }

  private pop(limit: number): Due | undefined {
    for (;;) {
      const first = this.heap[0]
      if (!first || first.at > limit) return undefined
      this.removeFirst()
      if (!first.isCancelled && first.life?.isAlive !== false) return first
    }
  }

  private removeFirst(): void {
    const { heap } = this
    const last = heap.pop()
    if (!last || heap.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      const [left, right] = [heap[below], heap[below + 1]]
      if (!left) break
      if (right && before(right, left)) below++
      const child = heap[below]
      if (!child || before(last, child)) break
      heap[at] = child
      at = below
    }
    heap[at] = last
  }
}

const before = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/** Everything that needs no time has happened: Node runs a tick only when no microtask is left. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))
