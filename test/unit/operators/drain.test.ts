import { EMPTY, type Observable, Subject, of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { drain } from '../../../lib/operators/drain.ts'
import { marbles } from '../../support/marbles.ts'

function room(...values: number[]) {
  const done: number[] = []
  return { values, done, take: () => values.shift(), isDone: (value: number) => void done.push(value) }
}

const run = (
  wake$: Observable<unknown>,
  { take, isDone }: ReturnType<typeof room>,
  project: (value: number) => Observable<unknown>,
  concurrency = 1,
) => wake$.pipe(drain({ take, done: isDone }, project, concurrency))

describe('drain', () => {
  test('takes while there are places, and again when one is free', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const waiting = room(1, 2, 3)
      const names: Record<number, string> = { 1: 'a', 2: 'b', 3: 'c' }
      const result = run(hot('-x-----|'), waiting, (value) => cold('---y|', { y: names[value] }), 2)
      // 3 begins at 5, when the first two are through.
      expectObservable(result).toBe('----(ab)c|')
    })
  })

  test('says what is through before it takes the next', () => {
    const waiting = room(1, 2)
    const seen: string[] = []
    run(of('go'), waiting, (value) => (seen.push(`${value} after ${waiting.done.join()}`), EMPTY)).subscribe()
    expect(seen).toEqual(['1 after ', '2 after 1'])
    expect(waiting.done).toEqual([1, 2])
  })

  test('takes what came into the room meanwhile, even if nobody said so', () => {
    const waiting = room(1)
    const busy$ = new Subject<never>()
    const wake$ = new Subject<void>()
    run(wake$, waiting, () => busy$).subscribe()
    wake$.next()
    waiting.values.push(2)
    busy$.complete()
    expect(waiting.done).toEqual([1, 2])
  })

  test('that is woken while it takes does not take twice', () => {
    const wake$ = new Subject<void>()
    const waiting = room(1, 2, 3)
    let active = 0
    let most = 0
    const project = () => {
      most = Math.max(most, ++active)
      wake$.next()
      active--
      return EMPTY
    }
    run(wake$, waiting, project).subscribe()
    wake$.next()
    expect(waiting.done).toEqual([1, 2, 3])
    expect(most).toBe(1)
  })

  test('takes nothing any more once it is unsubscribed', () => {
    const wake$ = new Subject<void>()
    const waiting = room(1, 2)
    const drained = run(wake$, waiting, () => {
      drained.unsubscribe()
      return EMPTY
    }).subscribe()
    wake$.next()
    expect(waiting.values).toEqual([2])
    expect(wake$.observed).toBe(false)
  })
})
