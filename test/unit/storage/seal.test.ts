import { asyncScheduler } from 'rxjs'
import { LockedError } from 'rx-outbox'
import { describe, expect, test } from 'vitest'
import type { Encryption } from '../../../lib/api.ts'
import { crc32 } from '../../../lib/storage/crc32.ts'
import { decodeGroups, encodeGroup } from '../../../lib/storage/frame.ts'
import { createSeal } from '../../../lib/storage/seal.ts'
import { KeyBox, newKey } from '../../support/keys.ts'

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const [k1, k2] = await Promise.all([newKey('k1'), newKey('k2')])
const sealOf = (keyOf: Encryption['key'], space = 's') =>
  createSeal({ keyOf, owner: 'ann', scheduler: asyncScheduler, space })
const box = () => new KeyBox(k1)

/** The texts that come out of journal `j`. */
async function linesOf(pieces: Uint8Array[], keyOf: Encryption['key'] = box().key) {
  return decodeGroups((await sealOf(keyOf).unseal(pieces, 'j')).pieces).lines
}

async function sealed(lines: string[], keyOf: Encryption['key'] = box().key) {
  return (await sealOf(keyOf).seal(encodeGroup(lines), 'j')).bytes
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(LockedError)
  return String(error)
}

describe('a sealed group', () => {
  test('is one line with a checksum, the id of its key, and nothing that can be read', async () => {
    const text = textOf(await sealed(['{"secret":"tell nobody"}']))
    const [, sum, rest] = /^\n([0-9a-f]{8}) (.*)\n$/.exec(text) ?? []
    expect(rest).toMatch(/^rxe1 k1 [\w+/]{16} [\w+/]+={0,2}$/)
    expect(crc32(new TextEncoder().encode(rest)).toString(16).padStart(8, '0')).toBe(sum)
    expect(text).not.toMatch(/secret|tell/)
  })

  test('comes back, among others and among plain ones', async () => {
    const groups = [
      encodeGroup(['a']),
      await sealed(['b', 'ß']),
      encodeGroup(['c']),
      await sealed(['d']),
      await sealed([]),
    ]
    expect(await linesOf(groups)).toEqual(['a', 'b', 'ß', 'c', 'd'])
    expect(decodeGroups((await sealOf(box().key).unseal(groups, 'j')).pieces)).toMatchObject({
      torn: false,
      broken: [],
    })
  })

  test('never looks the same twice', async () => {
    expect(textOf(await sealed(['a']))).not.toBe(textOf(await sealed(['a'])))
  })

  test('is known to be sealed by whoever has no key', async () => {
    expect(decodeGroups([encodeGroup(['a']), await sealed(['b'])])).toMatchObject({
      sealed: true,
      newer: false,
      broken: [],
    })
  })

  test('of a newer form is known to be newer', async () => {
    const text = 'rxe2 whatever it may be'
    const sum = crc32(new TextEncoder().encode(text)).toString(16).padStart(8, '0')
    const { pieces } = await sealOf(box().key).unseal([new TextEncoder().encode(`\n${sum} ${text}\n`)], 'j')
    expect(decodeGroups(pieces).newer).toBe(true)
  })

  test.each([
    ['journal', 's', 'other'],
    ['space', 'other', 'j'],
  ])('does not open in another %s', async (_, space, journal) => {
    const group = await sealed(['a'])
    expect(await messageOf(sealOf(box().key, space).unseal([group], journal))).toMatch(/does not open/)
  })

  test('does not open as one of another key, nor when a bit of it was changed and the checksum put right', async () => {
    const text = textOf(await sealed(['a'])).slice(10, -1)
    const renamed = text.replace('k1', 'k2')
    const flipped = text.replace(/.(?==*$)/, (char) => (char === 'A' ? 'B' : 'A'))
    for (const changed of [
      renamed,
      text.slice(0, -8),
      flipped.replace(/ (.)([^ ]*)$/, (_, a, b) => ` ${a === 'A' ? 'B' : 'A'}${b}`),
    ]) {
      const sum = crc32(new TextEncoder().encode(changed)).toString(16).padStart(8, '0')
      const forged = new TextEncoder().encode(`\n${sum} ${changed}\n`)
      expect(await messageOf(sealOf(new KeyBox(k2, k1).key).unseal([forged], 'j'))).toMatch(/does not open/)
    }
  })

  test('that was cut off is left out, and stays so when others are written behind it', async () => {
    const [before, group, behind] = [await sealed(['a']), await sealed(['b', 'c']), await sealed(['d'])]
    for (let end = 1; end < group.length - 1; end++) {
      const cut = group.subarray(0, end)
      expect(await linesOf([before, cut])).toEqual(['a'])
      const { pieces } = await sealOf(box().key).unseal([before, cut, behind], 'j')
      expect(decodeGroups(pieces)).toMatchObject({ lines: ['a', 'd'], broken: [] })
    }
  })

  test('that lost its last newline counts, then as later', async () => {
    const [group, behind] = [(await sealed(['a', 'b'])).subarray(0, -1), await sealed(['c'])]
    expect(await linesOf([group])).toEqual(['a', 'b'])
    expect(await linesOf([group, behind])).toEqual(['a', 'b', 'c'])
  })

  test('that was damaged is put aside as it was found; its neighbours are kept', async () => {
    const [before, group, behind] = [await sealed(['a']), await sealed(['b', 'c']), await sealed(['d'])]
    for (let at = 1; at < group.length - 1; at++) {
      const damaged = group.slice()
      damaged[at] = (damaged[at] ?? 0) ^ 1
      const { pieces } = await sealOf(box().key).unseal([before, damaged, behind], 'j')
      const { lines, broken } = decodeGroups(pieces)
      expect(lines).toEqual(['a', 'd'])
      expect(broken.map(textOf).join('\n')).toBe(textOf(damaged).slice(1, -1))
    }
  })
})

describe('keys', () => {
  test('are asked for by owner: the one to write with, and by id those that what is read was sealed with', async () => {
    const keys = new KeyBox(k1, k2)
    const group = await sealed(['a'])
    expect(await linesOf([group, group], keys.key)).toEqual(['a', 'a'])
    expect(keys.requests).toEqual([{ owner: 'ann' }, { owner: 'ann', id: 'k1' }])
  })

  test('that are not the present one are said to be outdated, and so is what is plain', async () => {
    const seal = sealOf(new KeyBox(k1, k2).key)
    const [old, now] = [await sealed(['a']), (await seal.seal(encodeGroup(['b']), 'j')).bytes]
    const isCurrent = async (...groups: Uint8Array[]) => (await seal.unseal(groups, 'j')).isCurrent
    expect([await isCurrent(), await isCurrent(now, now)]).toEqual([true, true])
    expect([await isCurrent(old, now), await isCurrent(now, encodeGroup(['c']))]).toEqual([false, false])
  })

  test('that are missing, throw, are others or have no proper id lock, and say which', async () => {
    const group = await sealed(['a'])
    const readWith = (keyOf: Encryption['key']) => messageOf(sealOf(keyOf).unseal([group], 'j'))
    expect(await readWith(() => undefined)).toMatch(/the key to write with is not there/)
    expect(await readWith(({ id }) => (id === undefined ? k2 : undefined))).toMatch(/the key k1 is not there/)
    expect(await readWith(() => k2)).toMatch(/asked for the key k1 and gave another/)
    expect(await readWith(() => ({ ...k1, id: 'a b' }))).toMatch(/ASCII without spaces/)
    expect(
      await readWith(() => {
        throw new Error('no')
      }),
    ).toMatch(/the option encryption threw/)
  })

  test('that cannot encrypt lock', async () => {
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['decrypt'])
    expect(await messageOf(sealed(['a'], () => ({ id: 'k1', key })))).toMatch(/k1 cannot encrypt/)
  })
})
