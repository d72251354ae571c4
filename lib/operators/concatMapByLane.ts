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
        drain(room, project, config.concurrency ?? 1),
      )
    })
}

interface MemoryLane<T> extends Line {
  values: { value: T; place: number; priority: number }[]
}

function createLanes<T>(config: LaneConfig<T>): WaitingRoom<T> & { add: (value: T) => void } {
  const { laneOf, priorityOf = () => 0, maxOvertakes = 1_000 } = config
  const lanes = new Map<string, MemoryLane<T>>()
  const schedule = createSchedule<MemoryLane<T>>(maxOvertakes, () => '')
  const always = () => true
  let place = 0

  function enter(lane: MemoryLane<T>, head: { place: number }): void {
    lane.age = head.place
    lane.rank = lane.values.reduce((rank, { priority }) => Math.max(rank, priority), -Infinity)
    schedule.set(lane, 0)
  }

  return {
    add(value) {
      const key = laneOf(value)
      const known = lanes.get(key)
      const lane = known ?? { values: [], rank: 0, age: 0, dueAt: 0, byRank: -1, byAge: -1, byTime: -1 }
      lane.values.push({ value, place: place++, priority: priorityOf(value) })
      lanes.set(key, lane)
      const [head] = lane.values
      // A lane that is known but not in the schedule is in flight.
      if (head && (!known || lane.byRank >= 0)) enter(lane, head)
    },
    take() {
      const lane = schedule.peek(always)
      if (!lane) return undefined
      schedule.take(lane, always)
      return lane.values.shift()?.value
    },
    done(value) {
      const key = laneOf(value)
      const lane = lanes.get(key)
      const head = lane?.values[0]
      if (lane && head) enter(lane, head)
      else lanes.delete(key)
    },
  }
}
