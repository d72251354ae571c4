import { defer, type ObservableInput, type OperatorFunction, tap } from 'rxjs'
import { createSchedule, type Line } from '../outbox/schedule.ts'
import { drain, type WaitingRoom } from './drain.ts'

export interface LaneConfig<T> {
  laneOf: (value: T) => string
  /** Larger goes first, between lanes. @default 0 */
  priorityOf?: (value: T) => number
  /** Takes after which the oldest lane goes, whatever its priority. @default 1_000 */
  maxOvertakes?: number
  /** Lanes at once. @default 1 */
  concurrency?: number
}

/**
 * Maps each value to an inner stream: one value of a lane at a time and in order, `concurrency` lanes at once, the lane
 * with the highest waiting priority first, then the oldest. Who goes is decided when a place is free, not when the
 * value comes. Any number of inners may complete synchronously. An error of an inner goes through.
 *
 * @example
 * changes$.pipe(concatMapByLane((change) => send(change), { laneOf: ({ id }) => id, concurrency: 4 }))
 */
export function concatMapByLane<T, R>(
  project: (value: T) => ObservableInput<R>,
  config: LaneConfig<T>,
): OperatorFunction<T, R> {
  return (source$) =>
    defer(() => {
      const room = createLanes(config)
      return source$.pipe(
        tap((value) => room.add(value)),
        drain(room, ({ value }) => project(value), config.concurrency ?? 1),
      )
    })
}

interface MemoryLane<T> extends Line {
  key: string
  first: Waiting<T> | undefined
  last: Waiting<T> | undefined
  /** Those behind which nothing as urgent waits: the first of them says how urgent the lane is. */
  peaks: Waiting<T>[]
}

/** It knows its lane, so that the value itself may be anything, and may change. */
interface Waiting<T> {
  value: T
  place: number
  priority: number
  lane: MemoryLane<T>
  next: Waiting<T> | undefined
}

function createLanes<T>(config: LaneConfig<T>): WaitingRoom<Waiting<T>> & { add: (value: T) => void } {
  const { laneOf, priorityOf = () => 0, maxOvertakes = 1_000 } = config
  const lanes = new Map<string, MemoryLane<T>>()
  const schedule = createSchedule<MemoryLane<T>>(maxOvertakes, () => '')
  const always = () => true
  let place = 0

  function enter(lane: MemoryLane<T>, { place: age }: Waiting<T>): void {
    lane.age = age
    lane.rank = lane.peaks[0]?.priority ?? 0
    schedule.set(lane, 0)
  }

  return {
    add(value) {
      const key = laneOf(value)
      const priority = priorityOf(value)
      const known = lanes.get(key)
      const lane = known ?? createLane<T>(key)
      lanes.set(key, lane)
      const added: Waiting<T> = { value, place: place++, priority, lane, next: undefined }
      if (lane.first && lane.last) lane.last.next = added
      else lane.first = added
      lane.last = added
      const { peaks } = lane
      for (let peak = peaks.at(-1); peak && peak.priority <= priority; peak = peaks.at(-1)) peaks.pop()
      peaks.push(added)
      // A lane that is known but not in the schedule is in flight.
      if (lane.first && (!known || lane.byRank >= 0)) enter(lane, lane.first)
    },
    take() {
      const lane = schedule.peek(always)
      const taken = lane?.first
      if (!lane || !taken) return undefined
      schedule.take(lane, always)
      lane.first = taken.next
      if (lane.peaks[0] === taken) lane.peaks.shift()
      return taken
    },
    done({ lane }) {
      if (lane.first) enter(lane, lane.first)
      else lanes.delete(lane.key)
    },
  }
}

function createLane<T>(key: string): MemoryLane<T> {
  return {
    key,
    first: undefined,
    last: undefined,
    peaks: [],
    rank: 0,
    age: 0,
    dueAt: 0,
    byRank: -1,
    byAge: -1,
    byTime: -1,
  }
}
