/** Where an item remembers its position: −1 outside. */
export interface Position<T> {
  get: (item: T) => number
  set: (item: T, at: number) => void
}

/** A binary heap whose items know their position, so that moving or removing one costs O(log n) and no allocation. */
export class Heap<T> {
  readonly items: T[] = []
  private readonly position: Position<T>
  private readonly before: (a: T, b: T) => boolean

  constructor(position: Position<T>, before: (a: T, b: T) => boolean) {
    this.position = position
    this.before = before
  }

  get first(): T | undefined {
    return this.items[0]
  }

  /** Adds an item, or moves it to where its new rank belongs. */
  set(item: T): void {
    if (this.position.get(item) < 0) this.put(item, this.items.length)
    this.up(this.position.get(item))
    this.down(this.position.get(item))
  }

  delete(item: T): void {
    const at = this.position.get(item)
    if (at < 0) return
    this.position.set(item, -1)
    const last = this.items.pop()
    if (last === undefined || last === item) return
    this.put(last, at)
    this.up(at)
    this.down(this.position.get(last))
  }

  private put(item: T, at: number): void {
    this.items[at] = item
    this.position.set(item, at)
  }

  /** Swaps the two when the lower one belongs above. */
  private raise(parent: number, child: number): boolean {
    const upper = this.items[parent]
    const lower = this.items[child]
    if (upper === undefined || lower === undefined || !this.before(lower, upper)) return false
    this.put(lower, parent)
    this.put(upper, child)
    return true
  }

  private up(from: number): void {
    let at = from
    while (at > 0 && this.raise((at - 1) >> 1, at)) at = (at - 1) >> 1
  }

  private down(from: number): void {
    for (let at = from; ;) {
      const left = this.items[2 * at + 1]
      const right = this.items[2 * at + 2]
      const child = left !== undefined && right !== undefined && this.before(right, left) ? 2 * at + 2 : 2 * at + 1
      if (!this.raise(at, child)) return
      at = child
    }
  }
}
