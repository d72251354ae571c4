import type { Entry } from './lane.ts'
import type { OutboxState } from './state.ts'

/** Tasks that wait or are in flight, in the order in which they would go: for people who look, O(n log n). */
export function deliveryOrder({ lanes }: OutboxState): Entry[] {
  const live: Entry[] = []
  for (const { queue } of lanes.values()) for (const entry of queue) if (entry.state !== 'parked') live.push(entry)
  return live.sort(
    (a, b) =>
      Number(b.state === 'sending') - Number(a.state === 'sending') ||
      dueAt(a) - dueAt(b) ||
      b.lane.rank - a.lane.rank ||
      a.place - b.place,
  )
}

/** A lane waits as long as its first task does. */
function dueAt({ lane: { queue } }: Entry): number {
  return queue[0]?.retryAt ?? 0
}
