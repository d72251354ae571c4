import * as fc from 'fast-check'
import { ClientError } from 'rx-outbox'
import { describe, expect, it } from 'vitest'
import { collectionUrl, itemUrl } from '../../../strategies/rest/path.ts'

const collection = new URL('https://api.test/v1/notes')

describe('the address of an entity', () => {
  it('is the collection with one segment more', () => {
    expect(itemUrl(collection, 'n1').href).toBe('https://api.test/v1/notes/n1')
  })

  it('goes before the query, and is the same with a slash at the end of the collection', () => {
    expect(itemUrl(new URL('https://api.test/v1/notes/?tenant=a'), 'n1').href).toBe(
      'https://api.test/v1/notes/n1?tenant=a',
    )
  })

  it.each([
    ['../admin', '..%2Fadmin'],
    ['%2e%2e', '%252e%252e'],
    ['.%2e', '.%252e'],
    ['a/b', 'a%2Fb'],
    [String.raw`..\..`, '..%5C..'],
    ['a\0b', 'a%00b'],
    ['?x#y', '%3Fx%23y'],
    ['//evil.test', '%2F%2Fevil.test'],
    ['a\tb\nc', 'a%09b%0Ac'],
    ['é😀', '%C3%A9%F0%9F%98%80'],
    ['...', '...'],
    [' ', '%20'],
  ])('keeps %j one segment', (id, segment) => {
    expect(itemUrl(collection, id).href).toBe(`https://api.test/v1/notes/${segment}`)
  })

  it.each(['', '.', '..', '\ud800', 'a\udc00'])('refuses %j', (id) => {
    expect(() => itemUrl(collection, id)).toThrow(ClientError)
  })

  const nasty = fc.constantFrom('.', '..', '/', '\\', '%2e', '%2f', '%', '\0', '\t', '?', '#', '@', ':', ';', '\ud83d')
  const ids = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 6 }).map((a) => a.join('')),
  )
  const refused = (id: string) => {
    try {
      return !itemUrl(collection, id)
    } catch (error) {
      return error instanceof ClientError
    }
  }
  const unfit = (id: string) => id === '' || id === '.' || id === '..' || /\p{Surrogate}/u.test(id)

  it('has exactly the segments of the collection and one more, which decodes to the id, for whatever id', () => {
    fc.assert(
      fc.property(
        ids.filter((id) => !unfit(id)),
        (id) => {
          const url = new URL(itemUrl(collection, id).href)
          const segments = url.pathname.split('/')
          expect(url.origin + url.search + url.hash).toBe('https://api.test')
          expect(segments).toHaveLength(4)
          expect(segments.slice(0, 3)).toEqual(['', 'v1', 'notes'])
          expect(decodeURIComponent(segments[3] ?? '')).toBe(id)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('is refused for every id that is no segment, and for no other', () => {
    fc.assert(
      fc.property(ids, (id) => {
        expect(refused(id)).toBe(unfit(id))
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('the address of a collection', () => {
  it('may be relative to a base', () => {
    expect(collectionUrl('/api/tags', 'https://app.test/page').href).toBe('https://app.test/api/tags')
  })

  it.each([
    ['/api/tags', undefined],
    ['/api/tags', 'null'],
    ['file:///etc', undefined],
    ['javascript:alert(1)', undefined],
    ['https://ada:secret@api.test/notes', undefined],
  ])('refuses %j from %j, without repeating it', (url, base) => {
    expect(() => collectionUrl(url, base)).toThrow(/^restStrategy: `url` must(?!.*secret)/)
  })
})
