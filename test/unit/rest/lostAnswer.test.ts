import * as fc from 'fast-check'
import { http, HttpResponse } from 'msw'
import { ConflictError } from 'rx-outbox'
import { describe, expect, it } from 'vitest'
import { restStrategy } from '../../../strategies/rest.ts'
import { holdsSent } from '../../../strategies/rest/holdsSent.ts'
import { parseJson } from '../../../strategies/rest/json.ts'
import { attemptWith, entity, mockedRemote, note, type Note, notesUrl, noteUrl, outcome, thrown } from './support.ts'

const remote = mockedRemote()
const strategy = restStrategy<Note>({ url: notesUrl })

function refuseWith(current: unknown, status = 412, headers: Record<string, string> = {}) {
  const answer = () => HttpResponse.json({ current } as object, { status, headers })
  remote.use(http.post(notesUrl, answer), http.put(noteUrl, answer))
}

describe('after an answer was lost', () => {
  const applied = { _id: 'b1', ...note, version: 4, updatedAt: '2026-01-01' }
  const receipt = { backendId: 'b1', version: '4' }

  it.each([409, 412])('a %i whose remote is what was sent counts as persisted', async (status) => {
    refuseWith(applied, status, { etag: '"4"' })
    const attempt = attemptWith({ attempt: 2, version: '3' })
    expect(await outcome(strategy.persistUpdate(entity(note), attempt))).toEqual(receipt)
    expect(await outcome(strategy.persistCreate(entity(note), attempt))).toEqual(receipt)
  })

  it('counts at the first attempt too, which may follow a crash; or not, if so wished', async () => {
    refuseWith(applied, 412, { etag: '"4"' })
    expect(await outcome(strategy.persistUpdate(entity(note), attemptWith()))).toEqual(receipt)
    const strict = restStrategy<Note>({ url: notesUrl, adoptEqual: 'on-retry' })
    expect(await thrown(strict.persistUpdate(entity(note), attemptWith()))).toBeInstanceOf(ConflictError)
    expect(await outcome(strict.persistUpdate(entity(note), attemptWith({ attempt: 2 })))).toEqual(receipt)
  })

  it.each([[{ ...applied, title: 'Bread' }], [{ _id: 'b1', id: 'n1' }], [null], [[]], ['Milk'], [{}]])(
    'a remote that holds %j is a conflict',
    async (current) => {
      refuseWith(current)
      expect(await thrown(strategy.persistUpdate(entity(note), attemptWith({ attempt: 2 })))).toBeInstanceOf(
        ConflictError,
      )
    },
  )

  it('compares what was sent as it was on the wire', async () => {
    const at = new Date(0)
    const dated = restStrategy<{ at: Date; none?: undefined }>({ url: notesUrl })
    refuseWith({ at: at.toISOString() })
    expect(await outcome(dated.persistUpdate(entity({ at, none: undefined }), attemptWith()))).toEqual({})
  })
})

describe('a remote holds what was sent', () => {
  it('whatever it adds beside it', () => {
    const plain = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1, noNullPrototype: true })
    fc.assert(
      fc.property(plain, plain, (sent, added) => {
        const body = JSON.stringify(sent)
        fc.pre(Object.keys(parseJson(body) as object).length > 0)
        const held = parseJson(JSON.stringify(Object.fromEntries([...Object.entries(added), ...Object.entries(sent)])))
        expect(holdsSent(held, body)).toBe(true)
      }),
    )
  })

  it('only if every field of it is the same', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.jsonValue(), { minKeys: 1 }), (sent) => {
        const body = JSON.stringify(sent)
        for (const field of Object.keys(sent)) {
          const held = JSON.parse(body) as Record<string, unknown>
          held[field] = { other: held[field] }
          expect(holdsSent(held, body)).toBe(false)
          delete held[field]
          expect(holdsSent(held, body)).toBe(false)
        }
      }),
    )
  })

  it.each([
    [{ a: { b: 1, c: 2 } }, '{"a":{"b":1}}'],
    [{ a: [1, 2] }, '{"a":[1]}'],
    [{ a: [2, 1] }, '{"a":[1,2]}'],
    [{ a: 1 }, '{"a":"1"}'],
    [{ a: [] }, '{"a":{}}'],
    [{}, '{"toString":null}'],
    [{ a: 1 }, '{}'],
    [undefined, undefined],
  ])('%j does not hold %s', (held, body) => {
    expect(holdsSent(held, body)).toBe(false)
  })
})
