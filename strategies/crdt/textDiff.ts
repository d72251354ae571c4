/** At `index` of the text as it is by then, `remove` UTF-16 units give way to `insert`. */
export interface TextEdit {
  index: number
  remove: number
  insert: string
}

/** More differences than this are not looked for: time and memory grow with their number, memory with its square. */
const maxDifferences = 1_000

/**
 * The fewest insertions and deletions of whole characters that make `after` of `before` (Myers), from the end to the
 * start, so that each index holds when its turn comes. Texts that hardly have anything in common are one edit.
 */
export function textDiff(before: string, after: string): TextEdit[] {
  const [a, b] = [Array.from(before), Array.from(after)]
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1
  let [aEnd, bEnd] = [a.length, b.length]
  while (aEnd > start && bEnd > start && a[aEnd - 1] === b[bEnd - 1]) {
    aEnd -= 1
    bEnd -= 1
  }
  const [from, to] = [a.slice(start, aEnd), b.slice(start, bEnd)]
  const spans = from.length && to.length ? myers(from, to) : [[0, from.length, 0, to.length] as const]

  const offsets = offsetsOf(from)
  const base = a.slice(0, start).join('').length
  return spans
    .map(([x, xEnd, y, yEnd]) => ({
      index: base + (offsets[x] ?? 0),
      remove: (offsets[xEnd] ?? 0) - (offsets[x] ?? 0),
      insert: to.slice(y, yEnd).join(''),
    }))
    .filter(({ remove, insert }) => remove > 0 || insert !== '')
}

/** What differs: from `x` to `xEnd` of `a` stands what is from `y` to `yEnd` of `b`; last first. */
type Span = readonly [x: number, xEnd: number, y: number, yEnd: number]

function myers(a: string[], b: string[]): Span[] {
  const limit = Math.min(a.length + b.length, maxDifferences)
  // By diagonal, how far in `a` one gets with a number of differences; a copy of each round leads back.
  const furthest = new Int32Array(2 * limit + 3)
  const rounds: Int32Array[] = []
  const middle = limit + 1
  for (let differences = 0; differences <= limit; differences += 1) {
    rounds.push(furthest.slice(middle - differences - 1, middle + differences + 2))
    for (let diagonal = -differences; diagonal <= differences; diagonal += 2) {
      const below = furthest[middle + diagonal + 1] ?? 0
      const beside = (furthest[middle + diagonal - 1] ?? 0) + 1
      let x = diagonal === -differences || (diagonal !== differences && beside <= below) ? below : beside
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x += 1
      furthest[middle + diagonal] = x
      if (x >= a.length && x - diagonal >= b.length) return wayBack(rounds, a.length, b.length)
    }
  }
  return [[0, a.length, 0, b.length]]
}

function wayBack(rounds: Int32Array[], aLength: number, bLength: number): Span[] {
  const spans: Span[] = []
  let [x, y] = [aLength, bLength]
  for (let differences = rounds.length - 1; differences > 0; differences -= 1) {
    const round = rounds[differences] ?? new Int32Array()
    const at = (diagonal: number) => round[diagonal + differences + 1] ?? 0
    const diagonal = x - y
    const inserted = diagonal === -differences || (diagonal !== differences && at(diagonal - 1) + 1 <= at(diagonal + 1))
    const before = diagonal + (inserted ? 1 : -1)
    const [fromX, fromY] = [at(before), at(before) - before]
    const span: Span = inserted ? [fromX, fromX, fromY, fromY + 1] : [fromX, fromX + 1, fromY, fromY]
    const last = spans.at(-1)
    // Neighbours are one edit.
    if (last && last[0] === span[1] && last[2] === span[3]) spans.splice(-1, 1, [span[0], last[1], span[2], last[3]])
    else spans.push(span)
    x = fromX
    y = fromY
  }
  return spans
}

/** Where each character begins, in UTF-16 units, and where the last one ends. */
function offsetsOf(characters: string[]): number[] {
  const offsets = [0]
  for (const character of characters) offsets.push((offsets.at(-1) ?? 0) + character.length)
  return offsets
}
