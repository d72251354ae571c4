import * as fc from 'fast-check'
import { ClientError } from 'rx-outbox'
import { describe, expect, it } from 'vitest'
import { ifMatch, versionOfETag } from '../../../strategies/rest/entityTag.ts'
import { requestHeaders } from '../../../strategies/rest/headers.ts'
import { httpDate } from '../../../strategies/rest/httpDate.ts'
import { retryAfter } from '../../../strategies/rest/retryAfter.ts'
import { structuredString } from '../../../strategies/rest/structuredField.ts'

describe('an idempotency key', () => {
  it.each([
    ['k1', '"k1"'],
    ['', '""'],
    ['a"b', String.raw`"a\"b"`],
    [String.raw`a\b`, String.raw`"a\\b"`],
    [' ~', '" ~"'],
  ])('%j is sent as %s', (key, field) => {
    expect(structuredString(key)).toBe(field)
  })

  it.each(['é', '😀', '\n', '\0', '\x7f', '\x1f'])('with %j is refused, not sent in another form', (key) => {
    expect(() => structuredString(`a${key}`)).toThrow(ClientError)
  })

  it('is read back as it was, whatever printable ASCII it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (key) => {
        const field = structuredString(key)
        expect(field.slice(1, -1).replaceAll(/\\(["\\])/g, '$1')).toBe(key)
        expect(field.slice(1, -1)).toMatch(/^(?:[^"\\]|\\["\\])*$/)
      }),
    )
  })
})

describe('an entity tag', () => {
  it.each([
    ['"3"', '3'],
    ['"a-b:c"', 'a-b:c'],
    ['""', ''],
    ['"*"', '*'],
    ['"W/"', 'W/'],
    ['W/"3"', 'W/"3"'],
  ])('%s is the version %j, which goes back as it came', (etag, version) => {
    expect(versionOfETag(etag)).toBe(version)
    expect(ifMatch(version)).toBe(etag)
  })

  it.each([null, '', '3', '"3', 'w/"3"', '"a"b"', 'W/3', '*'])('%j is no version', (etag) => {
    expect(versionOfETag(etag)).toBeUndefined()
  })

  it('may stand for a number', () => {
    expect(ifMatch(3)).toBe('"3"')
  })

  it.each(['a"b', 'é😀', 'a\nb', 'W/"a'])('of %j is refused', (version) => {
    expect(() => ifMatch(version)).toThrow(ClientError)
  })
})

describe('a date of HTTP', () => {
  it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    '%j is read',
    (text) => {
      expect(httpDate(text)).toBe(784_111_777_000)
    },
  )

  it.each([null, '', '1', '2026', 'tomorrow', '1994-11-06T08:49:37Z', 'Sun, 06 Foo 1994 08:49:37 GMT'])(
    '%j is none',
    (text) => {
      expect(httpDate(text)).toBeUndefined()
    },
  )
})

describe('Retry-After', () => {
  const date = 'Sun, 06 Nov 1994 08:49:37 GMT'
  it.each([
    ['0', undefined, 0],
    ['120', undefined, 120_000],
    ['99999999999999999999999', undefined, Number.MAX_SAFE_INTEGER],
    ['Sun, 06 Nov 1994 08:50:07 GMT', date, 30_000],
    ['Sun, 06 Nov 1994 08:00:00 GMT', date, 0],
    ['Sun, 06 Nov 1994 08:50:07 GMT', undefined, undefined],
    ['Sun, 06 Nov 1994 08:50:07 GMT', 'yesterday', undefined],
    ['-1', date, undefined],
    ['1.5', date, undefined],
    ['1e3', date, undefined],
    ['soon', date, undefined],
    ['', date, undefined],
  ])('%j with the Date %j is %s ms', (value, now, ms) => {
    expect(retryAfter(new Headers({ 'retry-after': value, ...(now !== undefined && { date: now }) }))).toBe(ms)
  })

  it('is nothing when the answer has none', () => {
    expect(retryAfter(new Headers({ date }))).toBeUndefined()
  })
})

describe('the headers of a request', () => {
  it.each([[{ 'X-A': '1' }], [[['x-a', '1']]], [new Headers({ 'x-a': '1' })]])('are taken from %j', (added) => {
    expect([...requestHeaders(added as HeadersInit)]).toEqual([['x-a', '1']])
  })

  it('are what the later part says', () => {
    expect(requestHeaders({ 'X-A': '1' }, { 'x-a': '2' }).get('x-a')).toBe('2')
  })

  it('name the one that cannot be sent, not its value', () => {
    const unsendable = () => requestHeaders({ authorization: 's3cret\n.' })
    expect(unsendable).toThrow(ClientError)
    expect(unsendable).toThrow(/^The header "authorization" has characters that no header can carry$/)
    expect(unsendable).toThrow(expect.not.objectContaining({ cause: expect.anything() }))
  })
})
