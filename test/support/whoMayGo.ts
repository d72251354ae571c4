import { type Entry, type Lane, laneKey } from '../../lib/outbox/lane.ts'
import type { OutboxState } from '../../lib/outbox/state.ts'

/** What is wrong with where an outbox has its lanes and tasks, found by looking at everything: slow and plain. */
export function misplaced(state: OutboxState, knows: (entityType: string, schemaVersion: number) => boolean): string[] {
  const lanes = [...state.lanes.values()]
  const live = lanes.flatMap(({ queue }) => queue)
  const wrong: string[] = []

  const dependencies = (entry: Entry): Lane[] =>
    (entry.dependsOn ?? []).flatMap(({ entityType, id }) => {
      const on = state.lanes.get(laneKey(entityType, id))
      return on && on !== entry.lane ? [on] : []
    })
  const before = (entry: Entry, { queue }: Lane) => queue.filter(({ place }) => place < entry.place)

  /** It waits for an entity that was never created: one before it died being created, or is parked itself. */
  const isHopeless = (entry: Entry): boolean =>
    [entry.lane, ...dependencies(entry)].some(
      (lane) =>
        lane.dead?.some(({ operation, place }) => operation === 'create' && place < entry.place) ||
        before(entry, lane).some(
          (task) => task.operation === 'create' && knows(task.lane.entityType, task.schemaVersion) && isHopeless(task),
        ),
    )
  const isBlocked = (entry: Entry) => dependencies(entry).some((on) => before(entry, on).length > 0)

  for (const entry of live) {
    const isKnown = knows(entry.lane.entityType, entry.schemaVersion)
    const isAsked = state.asked.has(entry)
    if (isAsked && entry.state !== 'parked') wrong.push(`${entry.id} was asked about and is not parked`)
    if (isKnown && !isAsked && (entry.state === 'parked') !== isHopeless(entry))
      wrong.push(`${entry.id} is ${entry.state}`)
    if (!isKnown && entry.state !== 'parked') wrong.push(`${entry.id} is not parked`)
    if ((entry.state === 'parked' && isKnown && !isAsked) !== (entry.blockedBy !== undefined))
      wrong.push(`${entry.id} is blocked wrongly`)
    if (entry.blockedBy && !state.dead.has(entry.blockedBy)) wrong.push(`${entry.id} is blocked by nothing`)
    if (state.tasks.get(entry.lsn) !== entry) wrong.push(`${entry.id} is not among the tasks`)
  }
  for (const lane of lanes) {
    const { queue, key } = lane
    const [head] = queue
    if (queue.some(({ place }, at) => at > 0 && place <= (queue[at - 1]?.place ?? 0)))
      wrong.push(`${key} is out of order`)
    if (queue.slice(1).some(({ state: is }) => is === 'sending')) wrong.push(`${key} sends what is not first`)
    const mayGo = head?.state === 'waiting' && !isBlocked(head)
    const scheduled = Number(lane.byRank >= 0) + Number(lane.byTime >= 0)
    if (scheduled !== Number(mayGo))
      wrong.push(`${key} ${mayGo ? 'may go' : 'may not go'} and is in ${scheduled} heaps`)
    if (mayGo && lane.age !== head.place) wrong.push(`${key} is as old as ${lane.age}`)
    if (lane.byAge >= 0 && lane.byRank < 0) wrong.push(`${key} has an age only`)
    if (queue.length === 0 && !lane.dead && !lane.known && !lane.base && !lane.waiters)
      wrong.push(`${key} is kept for nothing`)
  }
  const { waiting, sending, parked, dead } = state.counts
  const counted = (is: Entry['state']) => live.filter((entry) => entry.state === is).length
  const expected = {
    waiting: counted('waiting'),
    sending: counted('sending'),
    parked: counted('parked'),
    dead: state.dead.size,
  }
  if (JSON.stringify({ waiting, sending, parked, dead }) !== JSON.stringify(expected))
    wrong.push(`counted ${JSON.stringify({ waiting, sending, parked, dead })} of ${JSON.stringify(expected)}`)
  if (state.tasks.size !== live.length + state.dead.size) wrong.push('tasks are kept that are nowhere')
  return wrong
}

/** The rank of each lane that may be asked for: the highest priority in it, or of those who wait for it. */
export function misranked(state: OutboxState): string[] {
  const ranks = new Map<Lane, number>()
  const waitsIn = (entry: Entry, on: Lane) =>
    on !== entry.lane &&
    (on.queue.some(({ place }) => place < entry.place) ||
      (on.dead?.some(({ operation, place }) => operation === 'create' && place < entry.place) ?? false))
  for (const lane of state.lanes.values())
    ranks.set(lane, Math.max(-Infinity, ...lane.queue.map(({ priority }) => priority)))
  for (let changed = true; changed;) {
    changed = false
    for (const [waiter, rank] of ranks) {
      for (const entry of waiter.queue) {
        for (const { entityType, id } of entry.dependsOn ?? []) {
          const on = state.lanes.get(laneKey(entityType, id))
          if (!on || !waitsIn(entry, on) || (ranks.get(on) ?? 0) >= rank) continue
          ranks.set(on, rank)
          changed = true
        }
      }
    }
  }
  return [...ranks].flatMap(([lane, rank]) =>
    lane.byRank < 0 || lane.rank === rank ? [] : [`${lane.key} ranks ${lane.rank} instead of ${rank}`],
  )
}
