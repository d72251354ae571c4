import * as fc from 'fast-check'
import { crc32 as crc32OfZlib } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { crc32 } from '../../../lib/storage/crc32.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)

describe('crc32', () => {
  test.each([
    ['', 0],
    ['a', 0xe8b7be43],
    ['abc', 0x352441c2],
    ['123456789', 0xcbf43926],
    ['The quick brown fox jumps over the lazy dog', 0x414fa339],
  ])('of %j is the published value', (text, expected) => {
    expect(crc32(bytesOf(text))).toBe(expected)
  })

  test('is the value of zlib for any part of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(16), fc.nat(16), (bytes, before, behind) => {
        const around = new Uint8Array([...new Uint8Array(before), ...bytes, ...new Uint8Array(behind)])
        expect(crc32(around, before, before + bytes.length)).toBe(crc32OfZlib(bytes))
      }),
    )
  })
})
