import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSchedule, type Line, type Schedule } from '../../../lib/outbox/schedule.ts'

interface Lane extends Line {
  name: number
  gate: string
}

const gates = ['note', 'tag', 'photo']
const all = () => true
const laneOf = (name: number, gate = 'note', rank = 0, age = name): Lane => {
  return { name, gate, rank, age, dueAt: 0, byRank: -1, byAge: -1, byTime: -1 }
}
const scheduleOf = (maxOvertakes: number) => createSchedule<Lane>(maxOvertakes, ({ gate }) => gate)

/** The rule in plain words: an array, sorted anew for every question. */
class Model {
  private readonly known = new Map<Lane, { rank: number; age: number; dueAt: number; ready: boolean }>()
  private overtakes = 0
  private readonly maxOvertakes: number

  constructor(maxOvertakes: number) {
    this.maxOvertakes = maxOvertakes
  }

  set(lane: Lane, now: number): void {
    this.known.set(lane, { rank: lane.rank, age: lane.age, dueAt: lane.dueAt, ready: lane.dueAt <= now })
  }

  delete(lane: Lane): void {
    this.known.delete(lane)
  }

  wake(now: number): void {
    for (const facts of this.known.values()) facts.ready ||= facts.dueAt <= now
  }

  ready(open: ReadonlySet<string>): Lane[] {
    const ready = [...this.known].filter(([{ gate }, facts]) => facts.ready && open.has(gate))
    return ready.sort(([, a], [, b]) => b.rank - a.rank || a.age - b.age).map(([lane]) => lane)
  }

  next(open: ReadonlySet<string>): Lane | undefined {
    const ready = this.ready(open)
    return this.overtakes < this.maxOvertakes ? ready[0] : this.oldest(ready)
  }

  take(lane: Lane, open: ReadonlySet<string>): void {
    this.overtakes = lane === this.oldest(this.ready(open)) ? 0 : this.overtakes + 1
    this.known.delete(lane)
  }

  upcoming(count: number, open: ReadonlySet<string>): Lane[] {
    const next = this.next(open)
    return next ? [next, ...this.ready(open).filter((lane) => lane !== next)].slice(0, count) : []
  }

  nextDue(): number | undefined {
    const waiting = [...this.known.values()].filter(({ ready }) => !ready).map(({ dueAt }) => dueAt)
    return waiting.length > 0 ? Math.min(...waiting) : undefined
  }

  private oldest(lanes: Lane[]): Lane | undefined {
    return lanes.toSorted((a, b) => a.age - b.age)[0]
  }
}

const lane = fc.nat({ max: 14 })
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('set'),
      lane,
      rank: fc.integer({ min: -2, max: 3 }),
      wait: fc.nat({ max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('delete'), lane }) },
  { weight: 5, arbitrary: fc.record({ does: fc.constant('take'), open: fc.subarray(gates) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('wake'), after: fc.nat({ max: 3 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('look'), open: fc.subarray(gates), count: fc.nat({ max: 16 }) }),
  },
)

const steps = fc.array(step, { maxLength: 120, size: 'max' })

describe('a schedule', () => {
  test('takes whom a sorted array would take, whatever was set, deleted, woken and taken', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3, Infinity), steps, (maxOvertakes, history) => {
        const schedule = scheduleOf(maxOvertakes)
        const model = new Model(maxOvertakes)
        const lanes = Array.from({ length: 15 }, (_, name) => laneOf(name, gates[name % 3]))
        const [said, expected]: [unknown[], unknown[]] = [[], []]
        let now = 0
        let age = 0
        for (const does of history) {
          const open = new Set('open' in does ? does.open : gates)
          const isOpen = (gate: string) => open.has(gate)
          if ('after' in does) {
            now += does.after
            schedule.wake(now)
            model.wake(now)
          } else if ('lane' in does) {
            const one = lanes[does.lane]
            if (!one) continue
            // Ages are places: no two lanes have the same.
            if ('wait' in does) Object.assign(one, { rank: does.rank, dueAt: does.wait && now + does.wait, age: age++ })
            for (const either of [schedule, model]) {
              if ('wait' in does) either.set(one, now)
              else either.delete(one)
            }
          } else if ('count' in does) {
            said.push(schedule.upcoming(does.count, isOpen).map(({ name }) => name))
            expected.push(model.upcoming(does.count, open).map(({ name }) => name))
          } else {
            const taken = schedule.peek(isOpen)
            said.push(taken?.name)
            expected.push(model.next(open)?.name)
            if (taken) schedule.take(taken, isOpen)
            if (taken) model.take(taken, open)
          }
          said.push([schedule.peek(isOpen)?.name, schedule.ready(isOpen), schedule.nextDue()])
          expected.push([model.next(open)?.name, model.ready(open).length, model.nextDue()])
        }
        expect(said).toEqual(expected)
      }),
      { numRuns: 250 },
    )
  })

  test('lets nobody wait for more than maxOvertakes takes and those that are older', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 60, size: 'max' }),
        fc.nat({ max: 12 }),
        (maxOvertakes, ranks, older) => {
          const schedule = scheduleOf(maxOvertakes)
          for (let age = 0; age < older; age++) schedule.set(laneOf(age), 0)
          const patient = laneOf(older, 'note', -1)
          schedule.set(patient, 0)
          let takes = 0
          for (let age = older + 1, next = schedule.peek(all); next !== patient; next = schedule.peek(all), age++) {
            if (next) schedule.take(next, all)
            // Somebody more urgent comes for each one who goes.
            schedule.set(laneOf(age, 'note', ranks[age % ranks.length]), 0)
            takes++
          }
          expect(takes).toBeLessThanOrEqual((older + 1) * (maxOvertakes + 1))
        },
      ),
    )
  })

  test('is by priority only where maxOvertakes is Infinity', () => {
    const schedule = scheduleOf(Infinity)
    const patient = laneOf(0, 'note', -1)
    schedule.set(patient, 0)
    for (let age = 1; age <= 5_000; age++) {
      schedule.set(laneOf(age), 0)
      expect(takeNext(schedule)?.age).toBe(age)
    }
    expect(takeNext(schedule)).toBe(patient)
  })

  test('shows the oldest first where the oldest goes next', () => {
    const schedule = scheduleOf(2)
    for (let age = 0; age < 9; age++) schedule.set(laneOf(age, 'note', age), 0)
    expect(schedule.upcoming(2, all).map(({ name }) => name)).toEqual([8, 7])
    expect([takeNext(schedule)?.name, takeNext(schedule)?.name]).toEqual([8, 7])
    expect(schedule.upcoming(3, all).map(({ name }) => name)).toEqual([0, 6, 5])
  })

  test('is left as it was by showing what comes', () => {
    const shown = scheduleOf(3)
    const other = scheduleOf(3)
    for (const schedule of [shown, other]) {
      for (let age = 0; age < 50; age++) schedule.set(laneOf(age, gates[age % 3], (age * 7) % 5), 0)
    }
    for (let left = 50; left > 0; left--) {
      for (const count of [1, 7, 100]) expect(shown.upcoming(count, all)).toHaveLength(Math.min(count, left))
      expect(takeNext(shown)?.name).toBe(takeNext(other)?.name)
    }
  })

  test('keeps who may not go yet out of sight, also when the clock is set back', () => {
    const schedule = scheduleOf(5)
    const later = laneOf(1)
    later.dueAt = 100
    schedule.set(later, 50)
    expect([schedule.peek(all), schedule.nextDue(), schedule.ready(all)]).toEqual([undefined, 100, 0])
    schedule.wake(99)
    expect(schedule.peek(all)).toBeUndefined()
    schedule.wake(100)
    expect([schedule.peek(all), schedule.nextDue(), schedule.ready(all)]).toEqual([later, undefined, 1])
    schedule.wake(0)
    expect(schedule.peek(all)).toBe(later)
  })
})

function takeNext(schedule: Schedule<Lane>): Lane | undefined {
  const next = schedule.peek(all)
  if (next) schedule.take(next, all)
  return next
}
