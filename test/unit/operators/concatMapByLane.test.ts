import { concatMapByLane, mergeByPriority, type Prioritized } from 'rx-outbox'
import { EMPTY, from, NEVER, type Observable, of, range, Subject, take } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { marbles } from '../../support/marbles.ts'

/** `a1` is the first value of lane `a`. */
const values = { a: 'a1', b: 'a2', c: 'b1', d: 'b2', e: 'c1', f: 'a3' }
const laneOf = (value: string) => value.slice(0, 1)
type Inners = Record<string, Observable<string>>

describe('lanes', () => {
  test('run one value at a time each, and beside each other', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('-(abc)--------|', values)
      const a1 = cold('    ---x|')
      const a2 = cold('        -z|')
      const b1 = cold('    -y|')
      const inners: Inners = { a1, a2, b1 }
      const result = source.pipe(concatMapByLane((value) => inners[value] ?? EMPTY, { laneOf, concurrency: 2 }))
      expectObservable(result).toBe('--y-x-z-------|')
      expectSubscriptions(source.subscriptions).toBe('^-------------!')
      expectSubscriptions(a1.subscriptions).toBe('    -^---!')
      expectSubscriptions(a2.subscriptions).toBe('    -----^-!')
      expectSubscriptions(b1.subscriptions).toBe('    -^-!')
    })
  })

  test('beyond the concurrency wait for a place, the oldest first', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('(ace)|', values)
      const a1 = cold('   --x|')
      const b1 = cold('      --y|')
      const c1 = cold('         --z|')
      const inners: Inners = { a1, b1, c1 }
      expectObservable(source.pipe(concatMapByLane((value) => inners[value] ?? EMPTY, { laneOf }))).toBe('--x--y--z|')
      expectSubscriptions(a1.subscriptions).toBe('^--!')
      expectSubscriptions(b1.subscriptions).toBe('---^--!')
      expectSubscriptions(c1.subscriptions).toBe('------^--!')
    })
  })

  test('keep their order whatever the priorities of their values', () => {
    const taken: string[] = []
    from(['a1', 'a2!', 'b1', 'a3'])
      .pipe(
        concatMapByLane((value) => of(taken.push(value)), {
          laneOf,
          priorityOf: (value) => (value.endsWith('!') ? 9 : 0),
        }),
      )
      .subscribe()
    expect(taken).toEqual(['a1', 'a2!', 'b1', 'a3'])
  })

  test('of a value that was changed while it was in flight go on', () => {
    const free$ = new Subject<never>()
    const taken: number[] = []
    const source$ = new Subject<{ lane: string; n: number }>()
    const sub = source$
      .pipe(concatMapByLane((value) => (taken.push(value.n), free$), { laneOf: ({ lane }) => lane }))
      .subscribe()
    const first = { lane: 'a', n: 1 }
    source$.next(first)
    source$.next({ lane: 'a', n: 2 })
    first.lane = 'b'
    free$.complete()
    expect(taken).toEqual([1, 2])
    sub.unsubscribe()
  })
})

describe('who goes next', () => {
  const priorityOf = ({ priority }: Prioritized<string>) => priority

  test('is decided when a place is free, not when the value comes', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const low = hot(' (ab)-----|')
      const high = hot('---c-----|')
      const result = mergeByPriority([low, 0], [high, 10]).pipe(
        concatMapByLane(({ value }) => cold('----x|', { x: value }), { laneOf: ({ value }) => value, priorityOf }),
      )
      expectObservable(result).toBe('----a----c----b|')
    })
  })

  test('is a lane in which something urgent waits, beginning with what is before it', () => {
    const taken: string[] = []
    const source$ = new Subject<string>()
    const free$ = new Subject<never>()
    const gate$ = (value: string) => (value === 'x0' ? free$ : EMPTY)
    source$
      .pipe(
        concatMapByLane((value) => (taken.push(value), gate$(value)), {
          laneOf,
          priorityOf: (value) => Number(value.slice(1)),
        }),
      )
      .subscribe()
    for (const value of ['x0', 'a0', 'b1', 'c0', 'c9', 'c2', 'd2']) source$.next(value)
    free$.complete()
    expect(taken).toEqual(['x0', 'c0', 'c9', 'c2', 'd2', 'b1', 'a0'])
  })

  test('is the oldest after as many overtakes as are allowed', () => {
    const taken: number[] = []
    const source$ = new Subject<number>()
    const free$ = new Subject<never>()
    source$
      .pipe(
        concatMapByLane((value) => (taken.push(value), value === 0 ? free$ : EMPTY), {
          laneOf: String,
          priorityOf: (value) => value,
          maxOvertakes: 2,
        }),
      )
      .subscribe()
    for (let value = 0; value < 8; value++) source$.next(value)
    free$.complete()
    expect(taken).toEqual([0, 7, 6, 1, 5, 4, 2, 3])
  })

  test('may be a value that comes while an inner completes', () => {
    const taken: string[] = []
    const source$ = new Subject<string>()
    source$
      .pipe(
        concatMapByLane(
          (value) => {
            taken.push(`${value} begins`)
            if (value === 'a1') for (const next of ['a2', 'b1']) source$.next(next)
            taken.push(`${value} ends`)
            return EMPTY
          },
          { laneOf, concurrency: 2 },
        ),
      )
      .subscribe()
    source$.next('a1')
    expect(taken).toEqual(['a1 begins', 'a1 ends', 'a2 begins', 'a2 ends', 'b1 begins', 'b1 ends'])
  })
})

describe('fifty thousand inners that complete synchronously', () => {
  const count = 50_000

  test.each([
    ['in lanes of their own', (value: number) => String(value), 1],
    ['in one lane', () => 'one', 1],
    ['in a hundred lanes, four at once', (value: number) => String(value % 100), 4],
  ])('%s, of a synchronous source, neither overflow nor stall', (_, lane, concurrency) => {
    let sum = 0
    let completed = false
    range(0, count)
      .pipe(concatMapByLane((value) => of(value), { laneOf: lane, concurrency }))
      .subscribe({ next: (value) => (sum += value), complete: () => (completed = true) })
    expect(sum).toBe((count * (count - 1)) / 2)
    expect(completed).toBe(true)
  })

  test.each([
    ['in lanes of their own', (value: number) => String(value)],
    ['in one lane', () => 'one'],
  ])('%s, behind one that was slow, neither overflow nor stall', (_, lane) => {
    const slow$ = new Subject<number>()
    const order: number[] = []
    range(0, count)
      .pipe(concatMapByLane((value) => (value === 0 ? slow$ : of(value)), { laneOf: lane }))
      .subscribe((value) => order.push(value))
    expect(order).toEqual([])
    slow$.complete()
    expect(order).toEqual(Array.from({ length: count - 1 }, (_value, at) => at + 1))
  })
})

describe('values', () => {
  test('may be undefined', () => {
    let calls = 0
    from([undefined, null, undefined])
      .pipe(concatMapByLane(() => of(++calls), { laneOf: () => 'one' }))
      .subscribe()
    expect(calls).toBe(3)
  })

  test('may be projected to promises and arrays', async () => {
    const got: number[] = []
    await from([1, 2, 3])
      .pipe(concatMapByLane((value) => (value === 2 ? [20, 21] : Promise.resolve(value)), { laneOf: () => 'one' }))
      .forEach((value) => void got.push(value))
    expect(got).toEqual([1, 20, 21, 3])
  })
})

describe('the end', () => {
  test('comes when the source is done and nothing waits or runs', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const source = hot('(ac)|', values)
      expectObservable(source.pipe(concatMapByLane(() => cold('--x|'), { laneOf }))).toBe('--x--x|')
    })
  })

  test('of an empty source comes at once', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('---|').pipe(concatMapByLane(() => of(1), { laneOf }))).toBe('---|')
    })
  })

  test('by an error of an inner unsubscribes the source and the other inners, and takes nothing more', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('-(ace)------|', values)
      const a1 = cold('    ---#')
      const b1 = cold('    -y----|')
      const c1 = cold('    -z|')
      const inners: Inners = { a1, b1, c1 }
      const result = source.pipe(concatMapByLane((value) => inners[value] ?? EMPTY, { laneOf, concurrency: 2 }))
      expectObservable(result).toBe('--y-#')
      expectSubscriptions(source.subscriptions).toBe('^---!')
      expectSubscriptions(a1.subscriptions).toBe('-^--!')
      expectSubscriptions(b1.subscriptions).toBe('-^--!')
      expectSubscriptions(c1.subscriptions).toBe([])
    })
  })

  test('by an error of the source unsubscribes the inners', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('-a--#', values)
      const inner = cold(' -x----|')
      expectObservable(source.pipe(concatMapByLane(() => inner, { laneOf }))).toBe('--x-#')
      expectSubscriptions(inner.subscriptions).toBe('-^--!')
    })
  })

  test.each([
    ['project', { laneOf }],
    ['laneOf', { laneOf: () => fail() }],
    ['priorityOf', { laneOf, priorityOf: () => fail() }],
  ])('is the error that %s throws', (name, config) => {
    const errors: unknown[] = []
    of('a1')
      .pipe(concatMapByLane(() => (name === 'project' ? fail() : EMPTY), config))
      .subscribe({ error: (error) => errors.push(error) })
    expect(errors).toEqual([new RangeError('thrown')])
  })

  test('by unsubscribing reaches the source and the inners', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const source = hot('-(ac)--f-----|', values)
      const unsubscribe = '-----!'
      const a1 = cold('    -x----|')
      const b1 = cold('    --y---|')
      const inners: Inners = { a1, b1 }
      const result = source.pipe(concatMapByLane((value) => inners[value] ?? NEVER, { laneOf, concurrency: 2 }))
      expectObservable(result, unsubscribe).toBe('--xy--')
      expectSubscriptions(source.subscriptions).toBe('^----!')
      expectSubscriptions(a1.subscriptions).toBe('-^---!')
      expectSubscriptions(b1.subscriptions).toBe('-^---!')
    })
  })

  test('by unsubscribing in the middle of a synchronous inner stops it, and nothing else begins', () => {
    const begun: string[] = []
    let drawn = 0
    const got: number[] = []
    from(['a1', 'b1'])
      .pipe(
        concatMapByLane((value) => (begun.push(value), endless(() => ++drawn)), { laneOf }),
        take(3),
      )
      .subscribe((value) => got.push(value))
    expect(got).toEqual([1, 2, 3])
    expect(drawn).toBeLessThanOrEqual(4)
    expect(begun).toEqual(['a1'])
  })

  test('of one subscriber is none of another: each has lanes of its own', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('(ab)|', values)
      const result = source.pipe(concatMapByLane((value) => cold('--x|', { x: value }), { laneOf }))
      expectObservable(result).toBe('       --x--y|', { x: 'a1', y: 'a2' })
      expectObservable(result, '-^-').toBe('---x--y|', { x: 'a1', y: 'a2' })
    })
  })
})

function fail(): never {
  throw new RangeError('thrown')
}

/** Says so when it is drawn on after its subscriber has gone. */
function* endlessNumbers(draw: () => number): Generator<number> {
  for (let n = draw(); n < 100; n = draw()) yield n
}

const endless = (draw: () => number): Observable<number> => from(endlessNumbers(draw))
