/** Chance that comes from a number: the same seed draws the same for ever (mulberry32). */
export interface Random {
  /** 0 ≤ x < 1. */
  next: () => number
  /** A whole number, `least` and `most` included. */
  int: (least: number, most: number) => number
  chance: (probability: number) => boolean
  pick: <const T>(list: readonly [T, ...T[]]) => T
}

export function createRandom(seed: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  return {
    next,
    int: (least, most) => least + Math.floor(next() * (most - least + 1)),
    chance: (probability) => next() < probability,
    pick: (list) => list[Math.floor(next() * list.length)] ?? list[0],
  }
}
