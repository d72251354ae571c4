import * as fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { runInNewContext } from 'node:vm'
import { reactive, ref, shallowReactive } from 'vue'
import { describe, expect, test } from 'vitest'
import { decodeValue, encodeValue } from '../../../lib/storage/value.ts'

const roundTrip = (value: unknown) => decodeValue(encodeValue(value, 'note'))

describe('plain JSON', () => {
  test('is stored as plain JSON', () => {
    const note = { id: 'n1', tags: ['a', null, true, 1.5], deep: { empty: {}, list: [] } }
    expect(encodeValue(note, 'note')).toBe(JSON.stringify(note))
  })

  test('comes back as a fresh copy', () => {
    const note = { id: 'n1', tags: ['a'] }
    const text = encodeValue(note, 'note')
    const [one, two] = [decodeValue(text), decodeValue(text)]
    expect(one).toEqual(note)
    expect(one).not.toBe(two)
    note.tags.push('b')
    expect(decodeValue(text)).toEqual({ id: 'n1', tags: ['a'] })
  })

  test('never holds a raw newline', () => {
    expect(encodeValue({ 'a\nb': 'c\nd', e: new Map([['\n', '\n']]) }, 'note')).not.toContain('\n')
  })
})

describe('what JSON does not have', () => {
  test.each<[string, unknown]>([
    ['a Date', new Date(1_700_000_000_123)],
    ['an invalid Date', new Date(Number.NaN)],
    ['a RegExp', /a"\/b\n/giu],
    [
      'a Map',
      new Map<unknown, unknown>([
        ['a', 1],
        [{ key: true }, new Set([1])],
        [Number.NaN, undefined],
      ]),
    ],
    ['a Set', new Set([1, 'a', null, undefined, [new Date(0)]])],
    ['a bigint', 123_456_789_012_345_678_901_234_567_890n],
    ['a negative bigint', -1n],
    ['NaN', Number.NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
    ['-0', -0],
    ['undefined', undefined],
    ['an ArrayBuffer', new Uint8Array([0, 1, 255]).buffer],
    ['a DataView', new DataView(new Uint8Array([9, 1, 2, 9]).buffer, 1, 2)],
    ['an Int8Array', new Int8Array([-1, 2])],
    ['a Uint8Array', new Uint8Array([0, 128, 255])],
    ['a Uint8ClampedArray', new Uint8ClampedArray([0, 255])],
    ['an Int16Array', new Int16Array([-300, 300])],
    ['a Uint16Array', new Uint16Array([65_535])],
    ['an Int32Array', new Int32Array([-70_000])],
    ['a Uint32Array', new Uint32Array([4_000_000_000])],
    ['a Float32Array', new Float32Array([1.5, -0, Number.NaN])],
    ['a Float64Array', new Float64Array([Math.PI, Infinity])],
    ['a BigInt64Array', new BigInt64Array([-1n])],
    ['a BigUint64Array', new BigUint64Array([1n])],
  ])('%s survives, at the root, in a field, in a list and in a Map', (_, value) => {
    expect(roundTrip(value)).toStrictEqual(value)
    expect(roundTrip({ value, other: 1 })).toStrictEqual({ value, other: 1 })
    expect(roundTrip([value, [value]])).toStrictEqual([value, [value]])
    expect(roundTrip(new Map([['value', value]]))).toStrictEqual(new Map([['value', value]]))
  })

  test('a view keeps its part of the buffer and nothing else', () => {
    const view = new Uint16Array(new Uint8Array([9, 9, 1, 0, 2, 0, 9, 9]).buffer, 2, 2)
    const stored = roundTrip(view)
    expect(stored).toEqual(new Uint16Array([1, 2]))
    expect(stored).toHaveProperty('buffer.byteLength', 4)
  })

  test('100,000 bytes survive', () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i * 7)
    expect(isDeepStrictEqual(roundTrip({ bytes }), { bytes })).toBe(true)
  })

  test('a hole in a list becomes undefined', () => {
    // eslint-disable-next-line no-sparse-arrays
    expect(roundTrip([1, , 3])).toStrictEqual([1, undefined, 3])
  })

  test('values of another realm survive', () => {
    const foreign: unknown = runInNewContext('({ due: new Date(5), tags: new Set(["a"]), bytes: new Uint8Array([1]) })')
    expect(roundTrip(foreign)).toStrictEqual({ due: new Date(5), tags: new Set(['a']), bytes: new Uint8Array([1]) })
  })

  test('any mixture survives', () => {
    const leaf = fc.oneof(
      fc.constantFrom<unknown>(undefined, Number.NaN, -0, Infinity, '$', '{"$":["Date",0]}'),
      fc.date({ noInvalidDate: true }),
      fc.bigInt(),
      fc.uint8Array({ maxLength: 9 }),
      fc.double(),
      fc.string({ unit: 'binary' }),
    )
    const key = fc.oneof(fc.constantFrom('$', '__proto__', 'constructor', 'toString', '0'), fc.string())
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
        fc.array(tie('value'), { maxLength: 3 }).map((items) => new Set(items)),
        fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((entries) => new Map(entries)),
      ),
    }))
    fc.assert(
      fc.property(value, (given) => {
        // Not by the matcher: it takes a field called `constructor` for the type of the object.
        expect(isDeepStrictEqual(roundTrip(given), given)).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('data that looks like a tag', () => {
  test.each([
    [{ $: ['Date', 0] }],
    [{ $: ['$', ['Date', 0]] }],
    [{ $: [] }],
    [{ $: 'Date' }],
    [{ $: { $: ['undefined'] } }],
    [{ $: ['Date', 0], other: 1 }],
    [{ text: '{"$":["Date",0]}' }],
    [[{ $: [{ $: ['Set', []] }, new Date(1)] }]],
  ])('survives: %j', (value) => {
    expect(roundTrip(value)).toStrictEqual(value)
  })

  test('of a kind that is not known is an error, never something else', () => {
    expect(() => decodeValue('{"$":["Temporal","x"]}')).toThrow('stored by a newer version')
  })
})

describe('hostile data', () => {
  test('a key __proto__ stays a key and touches no prototype', () => {
    const hostile: unknown = JSON.parse('{"__proto__":{"admin":true},"deep":{"__proto__":{"due":null}}}')
    for (const value of [hostile, { hostile, due: new Date(0) }]) {
      const stored = roundTrip(value)
      expect(JSON.stringify(stored)).toBe(JSON.stringify(value))
      expect(stored).not.toHaveProperty('admin')
    }
    expect({}).not.toHaveProperty('admin')
  })

  test('nested 100,000 deep is refused with a TypeError', () => {
    let deep: unknown = []
    for (let i = 0; i < 100_000; i++) deep = [deep]
    expect(() => encodeValue(deep, 'note')).toThrow(/^note.*… is more than 1000 levels deep and cannot be stored$/)
  })

  test('nested 900 deep is stored', () => {
    let deep: unknown = 'end'
    for (let i = 0; i < 900; i++) deep = { deep }
    expect(roundTrip(deep)).toEqual(deep)
  })
})

class Point {
  x = 1
  #secret = 2
  get y() {
    return this.#secret
  }
  move() {}
}

describe('what is no plain object', () => {
  test('an instance of a class becomes a plain object of its own fields', () => {
    const stored = roundTrip({ at: new Point(), made: new Date(0) })
    expect(stored).toStrictEqual({ at: { x: 1 }, made: new Date(0) })
  })

  test('an object without a prototype becomes a plain object', () => {
    expect(roundTrip(Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 })
  })

  test('a getter of its own is read', () => {
    expect(
      roundTrip({
        get now() {
          return new Date(3)
        },
      }),
    ).toStrictEqual({ now: new Date(3) })
  })

  test('a frozen object is stored', () => {
    expect(roundTrip(Object.freeze({ tags: Object.freeze(['a']) }))).toStrictEqual({ tags: ['a'] })
  })

  test('the same object twice is stored twice', () => {
    const tag = { name: 'a' }
    expect(roundTrip({ one: tag, two: tag, due: new Date(0) })).toEqual({ one: tag, two: tag, due: new Date(0) })
  })

  test.each([
    ['reactive', reactive],
    ['shallowReactive', shallowReactive],
    ['a ref to', <T extends object>(value: T) => ref(value).value],
  ])('%s data of Vue is made plain', (_, proxied) => {
    const data = { id: 'n1', tags: ['a'], due: new Date(0), seen: new Map([['a', new Set([{ b: 1 }])]]) }
    expect(roundTrip(proxied(data))).toStrictEqual(data)
    expect(roundTrip(proxied({ id: 'n1', tags: ['a'] }))).toStrictEqual({ id: 'n1', tags: ['a'] })
  })
})

describe('what cannot be stored', () => {
  const refusal = (value: unknown): string => {
    try {
      return encodeValue(value, 'note')
    } catch (error) {
      return error instanceof TypeError ? error.message : 'no TypeError'
    }
  }

  test('is refused with a TypeError that names its path', () => {
    expect(refusal({ tags: [{}, {}, { draw: () => {} }] })).toBe('note.tags[2].draw is a function and cannot be stored')
    expect(refusal({ 'a b': { '0': Symbol('s') } })).toBe('note["a b"]["0"] is a symbol and cannot be stored')
    expect(refusal(() => {})).toBe('note is a function and cannot be stored')
    expect(refusal(new Map([['home', [() => {}]]]))).toBe('note.get("home")[0] is a function and cannot be stored')
    expect(refusal({ places: new Map([[1, () => {}]]) })).toBe(
      'note.places (entry 0) is a function and cannot be stored',
    )
    expect(refusal({ places: new Map([[() => {}, 1]]) })).toBe('note.places (key 0) is a function and cannot be stored')
    expect(refusal({ marks: new Set([1, () => {}]) })).toBe('note.marks (item 1) is a function and cannot be stored')
  })

  test.each([
    ['a Blob', new Blob(['x'])],
    ['a File', new File(['x'], 'x.txt')],
    ['a Promise', Promise.resolve()],
    ['a WeakMap', new WeakMap()],
    ['a WeakSet', new WeakSet()],
    ['an Error', new RangeError('x')],
    ['a URL', new URL('https://example.org')],
    ['a SharedArrayBuffer', new SharedArrayBuffer(1)],
    ['a String', Object('boxed')],
    ['a Generator', (function* () {})()],
  ])('names %s', (name, value) => {
    expect(refusal({ it: value })).toBe(`note.it is ${name} and cannot be stored`)
  })

  test('names a method toJSON: what it stands for is for the app to say', () => {
    class Money {
      amount = 1
      toJSON() {
        return '1 EUR'
      }
    }
    expect(refusal({ price: new Money() })).toBe(
      'note.price has a toJSON method, so it stands for something else, and cannot be stored',
    )
  })

  test('names a circle, and where it leads to', () => {
    const note: { tags: unknown[]; map?: unknown } = { tags: [] }
    note.tags.push({ note })
    expect(refusal(note)).toBe('note.tags[0].note is note again, a circle, and cannot be stored')
    const map = new Map<string, unknown>()
    map.set('self', map)
    expect(refusal({ map })).toBe('note.map.get("self") is note.map again, a circle, and cannot be stored')
  })
})
