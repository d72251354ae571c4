import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { applyChange, changeOf, nothingYet, versionOf } from '../../../strategies/crdt/change.ts'
import { readEntity, writeEntity } from '../../../strategies/crdt/entityDoc.ts'

const text = ['body']
const newDoc = () => new Y.Doc({ gc: false })
const dataOf = (doc: Y.Doc) => {
  const read = readEntity(doc)
  return read.is === 'alive' ? read.data : read.is
}

function written(entity: unknown): Y.Doc {
  const doc = newDoc()
  writeEntity(doc, entity, text)
  return doc
}

/** A device that has seen all of `doc`. */
function copyOf(doc: Y.Doc): Y.Doc {
  const copy = newDoc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  return copy
}

function exchange(...docs: Y.Doc[]): void {
  for (const from of docs) for (const to of docs) Y.applyUpdate(to, Y.encodeStateAsUpdate(from))
}

function updatesOf(doc: Y.Doc, run: () => void): number {
  let updates = 0
  doc.on('update', () => {
    updates += 1
  })
  run()
  return updates
}

describe('an entity in a document', () => {
  test('is read as it was written', () => {
    const note = {
      id: 'n1',
      title: 'Milk',
      body: 'two\nlines 👩‍👩‍👧',
      tags: ['a', { b: null }],
      done: false,
      at: 1.5,
      bytes: new Uint8Array([1]),
    }
    expect(dataOf(written(note))).toEqual(note)
  })

  test('is not there before it is written, and a tombstone after its deletion', () => {
    expect(readEntity(newDoc())).toEqual({ is: 'none' })
    const doc = written({ id: 'n1', body: 'text' })
    writeEntity(doc, undefined, text)
    expect(readEntity(doc)).toEqual({ is: 'deleted' })
    writeEntity(doc, { id: 'n1', title: 'again' }, text)
    expect(dataOf(doc)).toEqual({ id: 'n1', title: 'again' })
  })

  test('written as it is already changes nothing', () => {
    const note = { id: 'n1', body: 'text', nested: { list: [1, { deep: true }], big: 5n } }
    const doc = written(note)
    expect(updatesOf(doc, () => writeEntity(doc, structuredClone(note), text))).toBe(0)
  })

  test('loses the fields that the app took out, and one that becomes a text or stops being one', () => {
    const doc = written({ id: 'n1', title: 'Milk', body: 5 })
    writeEntity(doc, { id: 'n1', body: 'now a text' }, text)
    expect(dataOf(doc)).toEqual({ id: 'n1', body: 'now a text' })
    writeEntity(doc, { id: 'n1', body: null }, text)
    expect(dataOf(doc)).toEqual({ id: 'n1', body: null })
    writeEntity(doc, { id: 'n1' }, text)
    expect(dataOf(doc)).toEqual({ id: 'n1' })
  })

  test('keeps any text, and half a character as the sign for it', () => {
    const body = fc.string({ unit: 'binary', maxLength: 60 })
    fc.assert(
      fc.property(body, body, (before, after) => {
        const doc = written({ body: before })
        writeEntity(doc, { body: after }, text)
        expect(dataOf(doc)).toEqual({ body: after })
      }),
    )
    expect(dataOf(written({ body: 'a\uD83D', title: 'b\uDE00' }))).toEqual({ body: 'a\uFFFD', title: 'b\uFFFD' })
  })

  test.each([
    ['a Date', { when: { at: new Date(0) } }, /when\.at is a Date/],
    ['a Map', { list: [new Map()] }, /list\[0\] is a Map/],
    ['a function', { run: () => 1 }, /run is a function/],
    ['a number of 65 bits', { big: 2n ** 64n }, /big is more than 64 bits/],
    ['no object', 'text', /no plain object/],
  ])('is refused when it holds %s, and nothing is changed', (_, entity, message) => {
    const doc = written({ id: 'n1' })
    expect(() => writeEntity(doc, entity)).toThrow(message)
    expect(dataOf(doc)).toEqual({ id: 'n1' })
  })

  test('with fields named __proto__ leaves every prototype as it is', () => {
    const hostile: unknown = JSON.parse('{"id":"n1","__proto__":{"polluted":1},"nested":{"__proto__":{"polluted":1}}}')
    const doc = written(hostile)
    // As a device without this library would write it.
    doc.getMap('fields').set('__proto__', { polluted: 1 })
    doc.getMap('fields').set('deep', hostile)
    const data = dataOf(copyOf(doc))
    expect(data).toEqual({ id: 'n1', nested: {}, deep: { id: 'n1', nested: {} } })
    expect(Object.getPrototypeOf(Reflect.get(Object(data), 'deep'))).toBe(Object.prototype)
    expect(Reflect.get(Object(data), 'polluted')).toBeUndefined()
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })
})

describe('an edit', () => {
  test('leaves what others wrote since the app looked', () => {
    const mine = written({ id: 'n1', title: 'Milk', body: 'one two three' })
    const seen = versionOf(mine)
    const other = copyOf(mine)
    writeEntity(other, { id: 'n1', title: 'Bread', body: 'one 2 three' }, text)
    exchange(mine, other)

    const change = changeOf(mine, seen, { id: 'n1', title: 'Milk', body: 'zero one two three four', done: true }, text)
    applyChange(mine, change)
    expect(dataOf(mine)).toEqual({ id: 'n1', title: 'Bread', body: 'zero one 2 three four', done: true })
  })

  test('applied again changes nothing', () => {
    const doc = written({ id: 'n1', body: 'text' })
    const change = changeOf(doc, versionOf(doc), { id: 'n1', body: 'more text' }, text)
    applyChange(doc, change)
    expect(updatesOf(doc, () => applyChange(doc, change))).toBe(0)
  })

  test('names the state it leads to, without what the app has not seen', () => {
    const mine = written({ id: 'n1', body: 'b' })
    const seen = versionOf(mine)
    const other = copyOf(mine)
    writeEntity(other, { id: 'n1', body: 'abc' }, text)
    exchange(mine, other)

    const first = changeOf(mine, seen, { id: 'n1', body: 'b!' }, text)
    applyChange(mine, first)
    const second = changeOf(mine, first.version, { id: 'n1', body: 'b!?' }, text)
    applyChange(mine, second)
    expect(dataOf(mine)).toEqual({ id: 'n1', body: expect.stringMatching(/^(abc!\?|ab!\?c)$/) })
  })

  test('of the same text on devices apart keeps the letters of all', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '👍', ' '), maxLength: 12 })
    fc.assert(
      fc.property(word, fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 2, maxLength: 4 }), (body, places) => {
        const first = written({ body })
        const devices = places.map((_, at) => (at === 0 ? first : copyOf(first)))
        const characters = Array.from(body)
        devices.forEach((device, at) => {
          const place = (places[at]?.[0] ?? 0) % (characters.length + 1)
          const typed = [...characters.slice(0, place), `<${at}>`, ...characters.slice(place)].join('')
          applyChange(device, changeOf(device, versionOf(device), { body: typed }, text))
        })
        exchange(...devices)
        const [merged] = devices.map(dataOf)
        for (const device of devices) expect(dataOf(device)).toEqual(merged)
        const result = String(Reflect.get(Object(merged), 'body'))
        expect(result.replace(/<\d>/g, '')).toBe(body)
        for (const at of devices.keys()) expect(result).toContain(`<${at}>`)
      }),
    )
  })

  test('that deletes wins against one that changes, in whatever order they come', () => {
    const mine = written({ id: 'n1', title: 'Milk' })
    const other = copyOf(mine)
    writeEntity(other, undefined, text)
    writeEntity(mine, { id: 'n1', title: 'Bread' }, text)
    exchange(mine, other)
    expect([mine, other].map(readEntity)).toEqual([{ is: 'deleted' }, { is: 'deleted' }])
  })

  test.each([
    [1, 2, 3],
    [1, 3, 2],
    [2, 1, 3],
    [2, 3, 1],
    [3, 1, 2],
    [3, 2, 1],
  ])('that deletes wins against a create it did not know, as a whole, whoever wrote: %i, %i, %i', (...names) => {
    const [mine, other, later] = names.map((name) => {
      const doc = newDoc()
      doc.clientID = name
      return doc
    })
    writeEntity(mine!, { id: 'n1', body: 'mine' }, text)
    writeEntity(other!, undefined, text)
    exchange(other!, later!)
    writeEntity(later!, { id: 'n1', title: 'Milk' }, text)
    const back = copyOf(later!)
    writeEntity(later!, undefined, text)
    exchange(mine!, later!)
    expect([mine!, later!].map(readEntity)).toEqual([{ is: 'deleted' }, { is: 'deleted' }])

    // A write that has seen the last deletion leaves none of them.
    writeEntity(back, undefined, text)
    exchange(back, mine!)
    writeEntity(mine!, { id: 'n1', body: 'again' }, text)
    expect(dataOf(mine!)).toEqual({ id: 'n1', body: 'again' })
  })

  test('that creates the same entity twice, apart, keeps both texts', () => {
    const [mine, other] = [newDoc(), newDoc()]
    applyChange(other, changeOf(other, nothingYet, { id: 'n1', body: 'theirs' }, text))
    exchange(mine, other)
    applyChange(mine, changeOf(mine, nothingYet, { id: 'n1', body: 'mine' }, text))
    expect(dataOf(mine)).toMatchObject({ body: expect.stringMatching(/^(minetheirs|theirsmine)$/) })
  })

  test('starts from all that is there where its base is unknown', () => {
    const doc = written({ id: 'n1', body: 'abc' })
    const ahead = copyOf(doc)
    writeEntity(ahead, { id: 'n1', body: 'abcd' }, text)
    for (const base of [undefined, 7, 'no base64!', versionOf(ahead), btoa('garbage')]) {
      applyChange(doc, changeOf(doc, base, { id: 'n1', body: 'ab' }, text))
      expect(dataOf(doc)).toEqual({ id: 'n1', body: 'ab' })
    }
  })

  test('does not make the list of authors longer', () => {
    const doc = written({ id: 'n1', count: 0 })
    let version = versionOf(doc)
    for (let count = 1; count <= 50; count += 1) {
      const change = changeOf(doc, version, { id: 'n1', count }, text)
      applyChange(doc, change)
      version = change.version
    }
    expect(doc.store.clients.size).toBe(1)
  })
})
