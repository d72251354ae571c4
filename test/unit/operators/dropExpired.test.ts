import { dropExpired } from 'rx-outbox'
import { describe, expect, test } from 'vitest'
import { marbles } from '../../support/marbles.ts'

const offers = { a: { expiresAt: 2 }, b: { expiresAt: 4 }, c: {}, d: { expiresAt: 5 } }

describe('dropExpired', () => {
  test('lets through what has time left on the scheduler, and what never expires', () => {
    marbles(({ hot, expectObservable, expectSubscriptions, scheduler }) => {
      const source = hot('-a-c-d--c-|', offers)
      expectObservable(source.pipe(dropExpired({ scheduler }))).toBe('-a-c----c-|', offers)
      expectSubscriptions(source.subscriptions).toBe('^---------!')
    })
  })

  test('counts the very moment as too late', () => {
    marbles(({ hot, expectObservable, scheduler }) => {
      const source = hot('---b(b|)', offers)
      expectObservable(source.pipe(dropExpired({ scheduler }))).toBe('---b|', offers)
    })
  })

  test('tells of everything it drops, and of nothing else', () => {
    const late: unknown[] = []
    marbles(({ hot, expectObservable, scheduler }) => {
      const source = hot('-abcd-(da)|', offers)
      const result = source.pipe(dropExpired({ scheduler, onExpired: (offer) => late.push(offer) }))
      expectObservable(result).toBe('-abcd-----|', offers)
    })
    expect(late).toEqual([offers.d, offers.a])
  })

  test('hands errors and unsubscribing on', () => {
    marbles(({ hot, expectObservable, expectSubscriptions, scheduler }) => {
      const failing = hot('-c-#', offers)
      expectObservable(failing.pipe(dropExpired({ scheduler }))).toBe('-c-#', offers)
      const source = hot('-c-c-c', offers)
      expectObservable(source.pipe(dropExpired({ scheduler })), '--!').toBe('-c-', offers)
      expectSubscriptions(source.subscriptions).toBe('^-!')
    })
  })

  test('that throws while telling is an error of the stream', () => {
    const error = new RangeError('thrown')
    marbles(({ hot, expectObservable, scheduler }) => {
      const onExpired = () => {
        throw error
      }
      expectObservable(hot('---a--c|', offers).pipe(dropExpired({ scheduler, onExpired }))).toBe('---#', offers, error)
    })
  })
})
