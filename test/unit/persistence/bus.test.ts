import { createEventBus } from 'rx-outbox'
import { describe, expect, test } from 'vitest'
import { reactive, ref } from 'vue'
import { now, useFakeTime } from '../../support/fakeTime.ts'
import { type Entities, open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

useFakeTime()

const bus = () => createEventBus<Entities>()

/** A remote that keeps the data it was given. */
function keeping() {
  const kept: unknown[] = []
  const keep = ({ data }: { data: unknown }) => {
    kept.push(data)
    return Promise.resolve({})
  }
  return Object.assign(new Remote(), { kept, persistCreate: keep, persistUpdate: keep })
}

describe('listening', () => {
  test('by Observable or by handler, as long as one likes', () => {
    const own = bus()
    const seen: string[] = []
    const byStream = own.on('entity:created').subscribe(({ entityType }) => seen.push(`stream ${entityType}`))
    const byHandler = own.on('entity:created', ({ entityType }) => void seen.push(`handler ${entityType}`))
    own.emit('entity:created', { entityType: 'note', data: note('n1') })
    byStream.unsubscribe()
    byHandler.unsubscribe()
    own.emit('entity:created', { entityType: 'note', data: note('n2') })
    expect(seen).toEqual(['stream note', 'handler note'])
  })

  test('a handler that throws or rejects harms nobody, and shows on errors$', async () => {
    const own = bus()
    const persistence = open(new Remote(), { bus: own })
    const errors: unknown[] = []
    const outside: unknown[] = []
    own.errors$.subscribe((error) => errors.push(error))
    persistence.errors$.subscribe((error) => outside.push(error))
    const seen: string[] = []
    own.on('entity:created', () => {
      throw new Error('at once')
    })
    own.on('entity:created', async () => Promise.reject(new Error('later')))
    own.on('entity:created', ({ entityType }) => void seen.push(entityType))
    own.on('entity:persisted', () => {
      throw new Error('in the outbox')
    })
    const receipt = persistence.created('note', note('n0'))
    own.emit('entity:created', { entityType: 'note', data: note('n1') })
    expect(await receipt.settled).toMatchObject({ status: 'persisted' })
    await now()
    expect(seen).toEqual(['note'])
    const messages = errors.map((error) => Reflect.get(Object(error), 'message'))
    expect(messages).toEqual(['at once', 'later', 'in the outbox', 'in the outbox'])
    expect(outside).toEqual(errors)
  })

  test('the app’s own events are told to its own listeners before anything is stored', () => {
    const own = bus()
    const seen: string[] = []
    own.on('entity:deleted', (payload) => void seen.push('id' in payload ? payload.id : ''))
    own.emit('entity:deleted', { entityType: 'note', id: 'n1' })
    expect(seen).toEqual(['n1'])
  })
})

describe('entity events before an outbox is attached', () => {
  test('are kept and taken in, in order, as they were', async () => {
    const own = bus()
    const mine = note('n1', 'as it was')
    own.emit('entity:created', { entityType: 'note', data: mine })
    own.emit('entity:updated', { entityType: 'tag', data: note('t1') })
    mine.text = 'changed'
    const remote = new Remote()
    const persistence = open(remote, { bus: own })
    own.emit('entity:deleted', { entityType: 'tag', id: 't2' })
    persistence.created('note', note('n3'))
    await now()
    expect(remote.log).toEqual(['create n1 as it was', 'update t1 text', 'delete t2', 'create n3 text'])
  })

  test('one that the outbox refuses is reported, and the others are taken in', async () => {
    const own = bus()
    const errors: unknown[] = []
    own.errors$.subscribe((error) => errors.push(error))
    own.emit('entity:created', { entityType: 'note', data: note('') })
    own.emit('entity:created', { entityType: 'note', data: note('n2') })
    const remote = new Remote()
    open(remote, { bus: own })
    await now()
    expect(remote.log).toEqual(['create n2 text'])
    expect(errors).toHaveLength(1)
  })
})

describe('the door', () => {
  test('takes proxies of Vue and makes them plain', async () => {
    const remote = keeping()
    const persistence = open(remote)
    const state = ref([{ id: 'n1', text: 'deep', tags: new Set(['a']), at: new Date(5) }])
    const [first] = state.value
    if (first) persistence.bus.emit('entity:created', { entityType: 'note', data: first })
    persistence.created('note', reactive(note('n2')))
    await now()
    expect(remote.kept).toEqual([{ id: 'n1', text: 'deep', tags: new Set(['a']), at: new Date(5) }, note('n2')])
  })

  test('takes Dates, Maps, Sets, BigInts, typed arrays and circles of nothing', async () => {
    const remote = keeping()
    const persistence = open(remote)
    const rich = Object.assign(note('n1'), {
      date: new Date(7),
      map: new Map([['a', { b: 1n }]]),
      bytes: new Uint8Array([1, 2]),
      numbers: [NaN, -0, Infinity],
      nothing: undefined,
    })
    persistence.created('note', rich)
    await now()
    expect(remote.kept).toEqual([rich])
  })

  test.each<[string, object]>([
    ['note.run', { run: () => 1 }],
    ['note.at.sign', { at: { sign: Symbol('x') } }],
    ['note.list[1]', { list: [1, () => 2] }],
    ['note.file', { file: new Blob(['x']) }],
    ['note.promise', { promise: Promise.resolve() }],
    ['note.map', { map: new Map([['a', () => 1]]) }],
  ])('refuses what cannot be stored, and names %s', (path, extra) => {
    const persistence = open(new Remote())
    const data = Object.assign(note('n1'), extra)
    const attempts = [
      () => persistence.bus.emit('entity:created', { entityType: 'note', data }),
      () => persistence.created('note', data),
      () => bus().emit('entity:created', { entityType: 'note', data }),
    ]
    for (const attempt of attempts) {
      expect(attempt).toThrow(TypeError)
      expect(attempt).toThrow(path)
    }
  })

  test('refuses a circle', () => {
    const data = Object.assign(note('n1'), { self: {} })
    data.self = data
    expect(() => open(new Remote()).created('note', data)).toThrow(/note\.self/)
  })

  test.each<[string, unknown]>([
    ['no payload', undefined],
    ['no entityType', { data: note('n1') }],
    ['no data', { entityType: 'note' }],
    ['no id', { entityType: 'note', data: { text: 'x' } }],
    ['an empty id', { entityType: 'note', data: note('') }],
    ['an id that is a number', { entityType: 'note', data: { id: 7 } }],
    ['a priority that is none', { entityType: 'note', data: note('n1'), priority: NaN }],
    ['an age that is none', { entityType: 'note', data: note('n1'), maxAge: 'long' }],
    ['a deadline that is none', { entityType: 'note', data: note('n1'), expiresAt: new Date() }],
    ['a dependency that is none', { entityType: 'note', data: note('n1'), dependsOn: ['t1'] }],
  ])('refuses an event with %s', (_, payload) => {
    const own = bus()
    open(new Remote(), { bus: own })
    expect(() => Reflect.apply(own.emit, own, ['entity:created', payload])).toThrow(TypeError)
  })

  test('a refused event leaves nothing behind', async () => {
    const remote = new Remote()
    const persistence = open(remote)
    expect(() => persistence.created('note', note(''))).toThrow(TypeError)
    await now()
    expect(remote.calls).toEqual([])
  })
})

test('a delete is told by id, or by data', async () => {
  const remote = new Remote()
  const persistence = open(remote)
  persistence.bus.emit('entity:deleted', { entityType: 'note', id: 'n1' })
  persistence.bus.emit('entity:deleted', { entityType: 'note', data: note('n2') })
  await now()
  expect(remote.log).toEqual(['delete n1', 'delete n2'])
})
