import { mergeByPriority } from 'rx-outbox'
import { describe, expect, test } from 'vitest'
import { marbles } from '../../support/marbles.ts'

const tagged = { a: { value: 'a', priority: 10 }, b: { value: 'b', priority: 0 } }

describe('mergeByPriority', () => {
  test('merges streams and says of each value how urgent its stream is', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const high = hot('--a---a|')
      const low = cold('-b--b-b---|')
      expectObservable(mergeByPriority([high, 10], [low, 0])).toBe('-ba-b-(ab)|', tagged)
      expectSubscriptions(high.subscriptions).toBe('^------!')
      expectSubscriptions(low.subscriptions).toBe('^---------!')
    })
  })

  test('hands an error of one on and unsubscribes from the others', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const high = hot('--#')
      const low = hot('-b---b|')
      expectObservable(mergeByPriority([high, 10], [low, 0])).toBe('-b#', tagged)
      expectSubscriptions(low.subscriptions).toBe('^-!')
    })
  })

  test('unsubscribes from all', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const high = hot('--a--')
      const low = hot('-b---b|')
      expectObservable(mergeByPriority([high, 10], [low, 0]), '---!').toBe('-ba-', tagged)
      expectSubscriptions(high.subscriptions).toBe('^--!')
      expectSubscriptions(low.subscriptions).toBe('^--!')
    })
  })

  test('takes whatever can be made a stream, and of nothing is empty', async () => {
    const got: unknown[] = []
    await mergeByPriority<number>([[1, 2], 5], [Promise.resolve(3), 1]).forEach((one) => void got.push(one))
    expect(got).toEqual([
      { value: 1, priority: 5 },
      { value: 2, priority: 5 },
      { value: 3, priority: 1 },
    ])
    marbles(({ expectObservable }) => expectObservable(mergeByPriority()).toBe('|'))
  })
})
