import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32 } from '../../../lib/storage/crc32.ts'
import { decodeGroups, encodeGroup } from '../../../lib/storage/frame.ts'

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytesOf = (text: string) => new TextEncoder().encode(text)
const summed = (text: string) => `${crc32(bytesOf(text)).toString(16).padStart(8, '0')} ${text}\n`
const whole = (lines: string[]) => ({ lines, broken: [], torn: false, newer: false, sealed: false })

const text = fc.oneof(fc.json({ maxDepth: 2 }), fc.string({ unit: 'binary', maxLength: 40 })).map((line) => {
  return `e${line.replaceAll('\n', ' ')}`
})
const texts = fc.array(text, { maxLength: 6 })

describe('a group', () => {
  test('is an empty line, a header and a line for each text, all with their checksum', () => {
    const [header, one, two] = ['rx1 2 0000001d', '{"a":1}', 'é'].map(summed)
    expect(textOf(encodeGroup(['{"a":1}', 'é']))).toBe(`\n${header}${one}${two}`)
  })

  test('comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(texts, { maxLength: 4 }), (groups) => {
        expect(decodeGroups(groups.map(encodeGroup))).toEqual(whole(groups.flat()))
      }),
    )
  })

  test('comes back from whatever pieces the bytes of all groups are cut into', () => {
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 4 }), fc.array(fc.nat()), (groups, cuts) => {
        const bytes = new Uint8Array(groups.flatMap((lines) => [...encodeGroup(lines)]))
        const places = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length]
        const pieces = places.slice(1).map((place, i) => bytes.subarray(places[i], place))
        expect(decodeGroups(pieces)).toEqual(whole(groups.flat()))
      }),
    )
  })

  test('of more lines than a call can take arguments comes back', () => {
    const lines = Array.from({ length: 200_000 }, (_, i) => `e${i}`)
    expect(decodeGroups([encodeGroup(lines)]).lines).toHaveLength(200_000)
  })

  test('of bytes that are part of a larger buffer comes back', () => {
    const bytes = encodeGroup(['one', 'two'])
    const around = new Uint8Array([9, 9, 9, ...bytes, 9])
    expect(decodeGroups([around.subarray(3, 3 + bytes.length)])).toEqual(whole(['one', 'two']))
  })

  test('refuses a text with a newline', () => {
    expect(() => encodeGroup(['one\ntwo'])).toThrow(RangeError)
  })

  test('makes half a surrogate pair a replacement character, as encoding does', () => {
    expect(decodeGroups([encodeGroup(['e\ud83d'])])).toEqual(whole(['e\ufffd']))
  })
})

describe('a group that was cut off', () => {
  const before = encodeGroup(['{"lsn":1}'])
  const bytes = encodeGroup(['{"lsn":2}', '{"lsn":3,"é":"日本"}'])
  const behind = encodeGroup(['{"lsn":4}'])
  // Without its last newline it is all there.
  const cuts = Array.from({ length: bytes.length - 2 }, (_, i) => bytes.subarray(0, i + 1))
  const rest = { broken: [], newer: false, sealed: false }

  test('is left out as a whole, wherever it was cut', () => {
    for (const cut of cuts) {
      expect(decodeGroups([before, cut])).toEqual({ lines: ['{"lsn":1}'], torn: cut.length > 1, ...rest })
    }
  })

  test('stays left out when others are written behind it, and harms none of them', () => {
    for (const cut of cuts) {
      const lines = ['{"lsn":1}', '{"lsn":4}', '{"lsn":4}']
      expect(decodeGroups([before, cut, behind, behind])).toEqual({ lines, torn: cut.length > 1, ...rest })
      expect(decodeGroups([before, cut, cut, behind]).lines).toEqual(lines.slice(0, 2))
    }
  })

  test('of its last newline only counts, then as later', () => {
    const cut = bytes.subarray(0, -1)
    const lines = ['{"lsn":2}', '{"lsn":3,"é":"日本"}']
    expect(decodeGroups([cut])).toEqual(whole(lines))
    expect(decodeGroups([cut, behind])).toEqual(whole([...lines, '{"lsn":4}']))
  })

  test('and ended in bytes that were never written hides nothing of what was written behind it', () => {
    for (const cut of cuts) {
      const torn = new Uint8Array(bytes.length)
      torn.set(cut)
      expect(decodeGroups([before, torn, behind]).lines.at(-1)).toBe('{"lsn":4}')
    }
  })
})

describe('damage', () => {
  test('to one byte costs at most the line it is in, and that line is put aside', () => {
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 6 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (lines, at, flip) => {
          const bytes = encodeGroup(lines)
          const place = at % bytes.length
          const starts = [0, ...[...bytes].flatMap((byte, i) => (byte === 10 ? i + 1 : []))]
          const hit = starts.filter((start) => start <= place).length - 1
          bytes[place] = (bytes[place] ?? 0) ^ flip
          const decoded = decodeGroups([bytes])
          // A newline that is gone makes one line of two.
          const lost = new Set(starts.includes(place + 1) ? [hit, hit + 1] : [hit])
          expect(decoded.lines).toEqual(lines.filter((_, i) => !lost.has(i + 2)))
          expect(decoded.broken.length).toBeGreaterThan(0)
          expect(decoded.torn || decoded.newer).toBe(false)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('to one byte is put aside as it was found', () => {
    const bytes = encodeGroup(['one', 'two', 'three'])
    bytes[bytes.indexOf(bytesOf('w')[0] ?? 0)] = 0xff
    const { lines, broken } = decodeGroups([bytes])
    expect(lines).toEqual(['one', 'three'])
    expect(broken).toEqual([new Uint8Array([...bytesOf(summed('two').slice(0, 9)), 0x74, 0xff, 0x6f])])
  })

  test('that takes bytes out of a line, or puts some in, costs only that line', () => {
    const bytes = [...encodeGroup(['one', 'two', 'three'])]
    const place = bytes.indexOf(0x77)
    expect(decodeGroups([new Uint8Array(bytes.toSpliced(place, 1))]).lines).toEqual(['one', 'three'])
    expect(decodeGroups([new Uint8Array(bytes.toSpliced(place, 0, 1, 2, 3))]).lines).toEqual(['one', 'three'])
    expect(decodeGroups([new Uint8Array(bytes.toSpliced(place, 0, 10))]).lines).toEqual(['one', 'three'])
  })

  test('of any kind never makes it throw, and never makes up a line', () => {
    const anyBytes = fc.uint8Array({ maxLength: 200 })
    const splices = fc.array(fc.record({ at: fc.nat(), out: fc.nat(5), bytes: fc.uint8Array({ maxLength: 5 }) }), {
      maxLength: 4,
    })
    fc.assert(
      fc.property(texts, splices, anyBytes, (lines, cuts, noise) => {
        const bytes = [...encodeGroup(lines)]
        for (const { at, out, bytes: others } of cuts) bytes.splice(at % bytes.length, out, ...others)
        const decoded = decodeGroups([new Uint8Array(bytes), noise])
        for (const line of decoded.lines) expect(lines).toContain(line)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a group of a newer format', () => {
  const newer = bytesOf(summed('rx2 whatever it may be') + summed('text'))

  test('is told, and nothing is decoded', () => {
    expect(decodeGroups([encodeGroup(['one']), newer])).toEqual({
      ...whole([]),
      newer: true,
    })
    expect(decodeGroups([new Uint8Array([...encodeGroup(['one']), ...newer])])).toMatchObject({
      lines: [],
      newer: true,
    })
  })

  test('is not told of a header that is only damaged', () => {
    const bytes = encodeGroup(['one'])
    bytes[12] = 0x32
    expect(decodeGroups([bytes])).toMatchObject({ lines: ['one'], newer: false })
  })
})
