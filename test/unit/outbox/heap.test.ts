import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Heap } from '../../../lib/outbox/heap.ts'

interface Item {
  name: number
  key: number
  at: number
}

const position = { get: ({ at }: Item) => at, set: (item: Item, at: number) => void (item.at = at) }
const step = fc.record({
  does: fc.constantFrom('set', 'set', 'set', 'delete', 'shift'),
  name: fc.nat({ max: 11 }),
  key: fc.integer({ min: -4, max: 4 }),
})

describe('a heap', () => {
  test('has the smallest first, and knows where everything is, whatever was set, moved and deleted', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        // Ties go by name, so that there is one right answer.
        const before = (a: Item, b: Item) => a.key < b.key || (a.key === b.key && a.name < b.name)
        const heap = new Heap<Item>(position, before)
        const items = Array.from({ length: 12 }, (_, name): Item => ({ name, key: 0, at: -1 }))
        const model = new Set<Item>()
        for (const { does, name, key } of steps) {
          const item = does === 'shift' ? heap.first : items[name]
          if (!item) continue
          if (does === 'set') {
            item.key = key
            heap.set(item)
            model.add(item)
          } else {
            heap.delete(item)
            model.delete(item)
          }
          const sorted = [...model].sort((a, b) => a.key - b.key || a.name - b.name)
          expect(heap.first?.name).toBe(sorted[0]?.name)
          expect(heap.items).toHaveLength(model.size)
          for (const one of items) expect(one.at).toBe(model.has(one) ? heap.items.indexOf(one) : -1)
        }
        const drained: Item[] = []
        for (let first = heap.first; first; first = heap.first) {
          drained.push(first)
          heap.delete(first)
        }
        expect(drained).toEqual([...model].sort((a, b) => a.key - b.key || a.name - b.name))
      }),
      { numRuns: 100 },
    )
  })

  test('of fifty thousand is filled and emptied without going through all for each', () => {
    let compared = 0
    const count = 50_000
    const heap = new Heap<Item>(position, (a, b) => (compared++, a.key < b.key))
    const items = Array.from({ length: count }, (_, name): Item => ({ name, key: (name * 7_919) % count, at: -1 }))
    for (const item of items) heap.set(item)
    const drained: number[] = []
    for (let first = heap.first; first; first = heap.first) {
      drained.push(first.key)
      heap.delete(first)
    }
    expect(drained).toEqual(Array.from({ length: count }, (_, key) => key))
    expect(compared).toBeLessThan(count * 2 * 3 * Math.log2(count))
  })

  test('does not mind deleting what it does not hold', () => {
    const heap = new Heap<Item>(position, (a, b) => a.key < b.key)
    heap.delete({ name: 1, key: 1, at: -1 })
    expect(heap.first).toBeUndefined()
  })
})
