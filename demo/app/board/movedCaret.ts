/** Where a place in a text is once somebody else has changed the text: beside the same letters. */
export function movedCaret(at: number, before: string, after: string): number {
  const most = Math.min(before.length, after.length)
  let start = 0
  while (start < most && before[start] === after[start]) start++
  let end = 0
  while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++
  if (at <= start) return at
  return at >= before.length - end ? at + after.length - before.length : Math.min(at, after.length - end)
}
