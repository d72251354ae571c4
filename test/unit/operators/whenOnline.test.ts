import { whenOnline } from 'rx-outbox'
import { BehaviorSubject, concat, NEVER, of, type Observable, shareReplay } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { marbles } from '../../support/marbles.ts'

const booleans = { t: true, f: false }
const replaying = (online$: Observable<boolean>) => {
  const replayed$ = online$.pipe(shareReplay(1))
  replayed$.subscribe()
  return replayed$
}

describe('whenOnline', () => {
  test('holds values back while offline and lets them out in order', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const online = replaying(hot('f---t----f---t', booleans))
      const source = hot('          -a-b----c-d-------|')
      expectObservable(source.pipe(whenOnline(online))).toBe('----(ab)c----d----|')
      expectSubscriptions(source.subscriptions).toBe('^-----------------!')
    })
  })

  test('lets values pass at once while online', () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(hot('-a-b-|').pipe(whenOnline(concat(of(true), NEVER)))).toBe('-a-b-|')
    })
  })

  test('completes when the last held value is out, not before', () => {
    marbles(({ hot, expectObservable }) => {
      const online = replaying(hot('f----t', booleans))
      expectObservable(hot('-ab|').pipe(whenOnline(online))).toBe('-----(ab|)')
    })
  })

  test('hands an error of the source on, and one of online$', () => {
    marbles(({ hot, cold, expectObservable }) => {
      expectObservable(hot('-a-#').pipe(whenOnline(of(false).pipe((o) => concat(o, NEVER))))).toBe('---#')
      expectObservable(hot('-a---').pipe(whenOnline(cold('--#', booleans)))).toBe('---#')
    })
  })

  test('unsubscribes from online$ when a value is out, and when it is unsubscribed', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const online = cold('f-t-f', booleans)
      const source = hot(' -a--b----')
      expectObservable(source.pipe(whenOnline(online)), '-----!').toBe('---a--')
      expectSubscriptions(online.subscriptions).toBe(['-^-!', '----^!'])
      expectSubscriptions(source.subscriptions).toBe('^----!')
    })
  })

  test('goes by what online$ says when the turn of a value comes', () => {
    const online$ = new BehaviorSubject(true)
    const got: number[] = []
    of(1, 2, 3)
      .pipe(whenOnline(online$))
      .subscribe((value) => {
        got.push(value)
        if (value === 2) online$.next(false)
      })
    expect(got).toEqual([1, 2])
    online$.next(true)
    expect(got).toEqual([1, 2, 3])
  })
})
