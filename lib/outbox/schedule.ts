import { Heap } from './heap.ts'

/** A lane as the schedule sees it. Ranks and ages are read when it is `set`; the positions belong to the schedule. */
export interface Line {
  /** The highest priority that waits in it. */
  rank: number
  /** The place of its first task: what is smaller is older. */
  age: number
  /** Epoch ms before which it may not go. */
  dueAt: number
  byRank: number
  byAge: number
  byTime: number
}

/** Lines that open and close together: those of one entity type. */
interface Gate<L> {
  name: string
  byRank: Heap<L>
  /** Kept only while there are several ranks: the first of one rank is its oldest. */
  byAge: Heap<L>
  isMixed: boolean
}

export interface Schedule<L extends Line> {
  /** Enters a line, or moves it to where it belongs now. */
  set: (line: L, now: number) => void
  delete: (line: L) => void
  /** Lets the lines go whose time has come. */
  wake: (now: number) => void
  /** Who would be taken, of the gates that are open. */
  peek: (open: (gate: string) => boolean) => L | undefined
  /** Removes the line that goes now, and counts whom it overtook. */
  take: (line: L, open: (gate: string) => boolean) => void
  /** The next `count`: who would be taken now, then by rank and age. */
  upcoming: (count: number, open: (gate: string) => boolean) => L[]
  /** When the next waiting line is due. */
  nextDue: () => number | undefined
  /** How many could go now. */
  ready: (open: (gate: string) => boolean) => number
}

/**
 * Who is next: the highest rank, then the oldest; and after `maxOvertakes` takes in a row that were not the oldest, the
 * oldest. Knows neither clock nor tasks.
 */
export function createSchedule<L extends Line>(maxOvertakes: number, gateOf: (line: L) => string): Schedule<L> {
  const gates = new Map<string, Gate<L>>()
  const timed = new Heap<L>({ get: (l) => l.byTime, set: (l, at) => void (l.byTime = at) }, (a, b) => a.dueAt < b.dueAt)
  let overtakes = 0

  const ranksBefore = (a: L, b: L) => a.rank > b.rank || (a.rank === b.rank && a.age < b.age)

  function gate(name: string): Gate<L> {
    const known = gates.get(name)
    if (known) return known
    const made: Gate<L> = {
      name,
      byRank: new Heap<L>({ get: (l) => l.byRank, set: (l, at) => void (l.byRank = at) }, ranksBefore),
      byAge: new Heap<L>({ get: (l) => l.byAge, set: (l, at) => void (l.byAge = at) }, (a, b) => a.age < b.age),
      isMixed: false,
    }
    gates.set(name, made)
    return made
  }

  function admit(line: L): void {
    const own = gate(gateOf(line))
    const { byRank, byAge } = own
    byRank.set(line)
    const [first, second] = byRank.items
    if (second === undefined) own.isMixed = false
    // Until then all others were of one rank: any of them tells it.
    else if (!own.isMixed && line.rank !== (line === first ? second : first)?.rank) {
      own.isMixed = true
      for (const other of byRank.items) byAge.set(other)
    }
    if (own.isMixed) byAge.set(line)
  }

  function remove(line: L): void {
    timed.delete(line)
    if (line.byRank < 0) return
    const { byRank, byAge } = gate(gateOf(line))
    byRank.delete(line)
    byAge.delete(line)
  }

  function candidates(open: (gate: string) => boolean): { best: L | undefined; oldest: L | undefined } {
    let best: L | undefined
    let oldest: L | undefined
    for (const { name, byRank, byAge, isMixed } of gates.values()) {
      const { first } = byRank
      if (first === undefined || !open(name)) continue
      if (best === undefined || ranksBefore(first, best)) best = first
      const eldest = isMixed ? byAge.first : first
      if (eldest !== undefined && (oldest === undefined || eldest.age < oldest.age)) oldest = eldest
    }
    return { best, oldest }
  }

  function nextOf(open: (gate: string) => boolean): L | undefined {
    const { best, oldest } = candidates(open)
    return overtakes >= maxOvertakes ? oldest : best
  }

  return {
    set(line, now) {
      if (line.dueAt > now) {
        remove(line)
        timed.set(line)
      } else {
        timed.delete(line)
        admit(line)
      }
    },
    delete: remove,
    wake(now) {
      for (let line = timed.first; line !== undefined && line.dueAt <= now; line = timed.first) {
        timed.delete(line)
        admit(line)
      }
    },
    peek: nextOf,
    take(line, open) {
      overtakes = line === candidates(open).oldest ? 0 : overtakes + 1
      remove(line)
    },
    upcoming(count, open) {
      const taken: L[] = []
      // Asked once a gate, not once a line.
      const opened = new Set([...gates.keys()].filter(open))
      const isOpen = (name: string) => opened.has(name)
      for (let next = nextOf(isOpen); next !== undefined && taken.length < count; next = candidates(isOpen).best) {
        gate(gateOf(next)).byRank.delete(next)
        taken.push(next)
      }
      for (const line of taken) gate(gateOf(line)).byRank.set(line)
      return taken
    },
    nextDue: () => timed.first?.dueAt,
    ready(open) {
      let count = 0
      for (const { name, byRank } of gates.values()) if (open(name)) count += byRank.items.length
      return count
    },
  }
}
