import { backoff, NetworkError, PermanentError } from 'rx-outbox'
import { defer, of, throwError, timer } from 'rxjs'
import { describe, test } from 'vitest'
import { marbles } from '../../support/marbles.ts'

const short = { initialDelay: 2, multiplier: 3, maxDelay: 10, maxRetries: 3 }

describe('backoff', () => {
  test('resubscribes after delays that grow up to the longest', () => {
    marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const source = cold('-a#')
      expectObservable(source.pipe(backoff({ ...short, scheduler }))).toBe('-a---a-------a-----------a#')
      expectSubscriptions(source.subscriptions).toBe([
        '^-!',
        '----^-!',
        '------------^-!',
        '------------------------^-!',
      ])
    })
  })

  test('goes by the defaults of the outbox: 3, 12 and 48 minutes', () => {
    marbles(({ cold, expectSubscriptions, expectObservable, scheduler }) => {
      const source = cold('#')
      expectObservable(source.pipe(backoff({ scheduler }))).toBe('63m #')
      expectSubscriptions(source.subscriptions).toBe(['(^!)', '3m (^!)', '15m (^!)', '63m (^!)'])
    })
  })

  test('lets the error after the last retry through', () => {
    const error = new NetworkError('down')
    marbles(({ expectObservable, scheduler }) => {
      const source = throwError(() => error)
      expectObservable(source.pipe(backoff({ ...short, maxRetries: 1, scheduler }))).toBe('--#', undefined, error)
      expectObservable(source.pipe(backoff({ ...short, maxRetries: 0, scheduler }))).toBe('#', undefined, error)
    })
  })

  test('lets a PermanentError through at once', () => {
    const error = new PermanentError('never')
    marbles(({ expectObservable, expectSubscriptions, cold, scheduler }) => {
      const source = cold('-#', undefined, error)
      expectObservable(source.pipe(backoff({ ...short, scheduler }))).toBe('-#', undefined, error)
      expectSubscriptions(source.subscriptions).toBe('^!')
    })
  })

  test('of a source that succeeds in the end is that source', () => {
    marbles(({ expectObservable, scheduler }) => {
      let tries = 0
      const source = defer(() => (++tries < 3 ? throwError(() => new Error('not yet')) : of('a')))
      expectObservable(source.pipe(backoff({ ...short, scheduler }))).toBe('--------(a|)')
    })
  })

  test('that is unsubscribed in a pause does not resubscribe', () => {
    marbles(({ cold, expectObservable, expectSubscriptions, scheduler }) => {
      const source = cold('#')
      expectObservable(source.pipe(backoff({ ...short, scheduler })), '-!').toBe('--')
      expectSubscriptions(source.subscriptions).toBe('(^!)')
    })
  })

  test('loses by jitter what chance says', () => {
    marbles(({ cold, expectSubscriptions, expectObservable, scheduler }) => {
      const source = cold('#')
      const config = { initialDelay: 10, maxRetries: 1, jitter: 0.5, random: () => 0.8, scheduler }
      expectObservable(source.pipe(backoff(config))).toBe('------#')
      expectSubscriptions(source.subscriptions).toBe(['(^!)', '------(^!)'])
    })
  })

  test('waits longer than a single timer can', () => {
    marbles(({ expectObservable, scheduler }) => {
      let tries = 0
      const source = defer(() => (++tries === 1 ? throwError(() => new Error('later')) : timer(0, scheduler)))
      const month = { initialDelay: 30 * 86_400_000, maxDelay: Infinity, scheduler }
      expectObservable(source.pipe(backoff(month))).toBe('30d (a|)'.replace('30d', `${30 * 1_440}m`), { a: 0 })
    })
  })
})
