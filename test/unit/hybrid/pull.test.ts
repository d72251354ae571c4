import { soundRows } from '../../../lib/testing/soundRows.ts'
import * as fc from 'fast-check'
import { NetworkError, type PersistenceStrategy, type PullPage } from 'rx-outbox'
import { all, fallback, route } from 'rx-outbox/hybrid'
import { firstValueFrom, from, lastValueFrom, NEVER, of, take, toArray } from 'rxjs'
import { expect, test } from 'vitest'
import { memoryHarness, MemoryRemote, type Row } from '../../support/memoryRemote.ts'

const row = (id: string, n = 0) => memoryHarness.state(id, n)

function filled(...ids: string[]): MemoryRemote {
  const remote = new MemoryRemote()
  for (const id of ids) remote.write(id, row(id))
  return remote
}

async function pull(strategy: PersistenceStrategy<Row>, checkpoint?: unknown, limit = 2): Promise<PullPage<Row>> {
  const { signal } = new AbortController()
  return structuredClone(await lastValueFrom(from(strategy.pull?.({ checkpoint, limit, owner: '', signal }) ?? [])))
}

async function pullAll(strategy: PersistenceStrategy<Row>, checkpoint?: unknown, limit = 2) {
  const pages = [await pull(strategy, checkpoint, limit)]
  for (let last = pages[0]; last?.more; pages.push(last)) last = await pull(strategy, last.checkpoint, limit)
  return {
    ids: pages.flatMap(soundRows).map(({ id }) => id),
    deleted: pages.flatMap(({ deleted }) => deleted),
    checkpoint: pages.at(-1)?.checkpoint,
  }
}

test('only the primary is read, unless others are named', async () => {
  const legs = { a: filled('a1').connect(), b: filled('b1').connect() }
  expect((await pullAll(all(legs))).ids).toEqual(['a1'])
  expect((await pullAll(all(legs, { primary: 'b' }))).ids).toEqual(['b1'])
  expect((await pullAll(all(legs, { reads: ['b', 'a'] }))).ids).toEqual(['b1', 'a1'])
})

test('versions come with rows of the leg that counts, and of no other', async () => {
  const legs = { a: filled('a1').connect(), b: filled('b1').connect() }
  const strategy = all(legs, { reads: ['a', 'b'] })
  const first = await pull(strategy)
  const second = await pull(strategy, first.checkpoint)
  expect(first.changed).toEqual([{ id: 'a1', data: row('a1'), version: 1 }])
  expect(second.changed).toEqual([{ id: 'b1', data: row('b1') }])
  const routed = route(() => 'a', legs)
  expect((await pull(routed, (await pull(routed)).checkpoint)).changed).toMatchObject([{ id: 'b1', version: 1 }])
})

test('where several have the same entity, that of the last one comes last', async () => {
  const [a, b] = [filled('same'), new MemoryRemote()]
  b.write('same', row('same', 9))
  const strategy = all({ a: a.connect(), b: b.connect() }, { reads: ['a', 'b'] })
  const first = await pull(strategy)
  const second = await pull(strategy, first.checkpoint)
  expect([first, second].flatMap(soundRows).map(({ data }) => data.text)).toEqual(['state 0', 'state 9'])
})

test('whatever the legs hold and change, nothing is missed, and nothing comes that was not changed', async () => {
  const ids = fc.uniqueArray(fc.constantFrom('1', '2', '3', '4', '5'), { maxLength: 5 })
  const world = fc.record({ a: ids, b: ids, later: ids, gone: ids, limit: fc.integer({ min: 1, max: 4 }) })
  await fc.assert(
    fc.asyncProperty(world, async ({ a, b, later, gone, limit }) => {
      const [first, second] = [filled(...a.map((id) => `a${id}`)), filled(...b.map((id) => `b${id}`))]
      const build = () => all({ first: first.connect(), second: second.connect() }, { reads: ['first', 'second'] })
      const { ids: all1, checkpoint } = await pullAll(build(), undefined, limit)
      expect(all1).toEqual([...a.map((id) => `a${id}`), ...b.map((id) => `b${id}`)])
      const isGone = (id: string) => gone.some((one) => one === id)
      for (const id of later) first.write(`a${id}`, row(`a${id}`, 1))
      for (const id of gone) second.write(`b${id}`, undefined)
      const { ids: changed, deleted, checkpoint: end } = await pullAll(build(), checkpoint, limit)
      expect(changed).toEqual(later.map((id) => `a${id}`))
      expect(deleted).toEqual(
        ['1', '2', '3', '4', '5']
          .filter(isGone)
          .map((id) => `b${id}`)
          .toSorted(byOrderOf(gone)),
      )
      expect(await pullAll(build(), end, limit)).toMatchObject({ ids: [], deleted: [] })
    }),
    { numRuns: 200 },
  )
})

const byOrderOf = (ids: string[]) => (x: string, y: string) => ids.indexOf(x.slice(1)) - ids.indexOf(y.slice(1))

test('a leg that fails is passed over, and told of once the others have nothing new', async () => {
  const [a, b, c] = [filled('a1', 'a2', 'a3'), filled('b1'), filled('c1')]
  const broken = { ...b.connect(), pull: () => Promise.reject(new NetworkError('down')) }
  const build = (leg: PersistenceStrategy<Row>) =>
    all({ a: a.connect(), b: leg, c: c.connect() }, { reads: ['a', 'b', 'c'] })
  const { ids, checkpoint } = await pullAll(build(broken))
  expect(ids).toEqual(['a1', 'a2', 'a3', 'c1'])
  await expect(pull(build(broken), checkpoint)).rejects.toThrow('down')
  a.write('a4', row('a4'))
  const later = await pull(build(broken), checkpoint)
  expect(later.changed).toMatchObject([{ id: 'a4' }])
  await expect(pull(build(broken), later.checkpoint)).rejects.toThrow('down')
  expect((await pullAll(build(b.connect()), later.checkpoint)).ids).toEqual(['b1'])
})

test('a pull that broke off at a leg that fails does not keep the others from being read', async () => {
  const [a, b] = [filled('a1'), filled('b1')]
  const broken = { ...b.connect(), pull: () => Promise.reject(new NetworkError('down')) }
  const strategy = all({ a: a.connect(), b: broken }, { reads: ['a', 'b'] })
  const { checkpoint, more } = await pull(strategy)
  expect(more).toBe(true)
  await expect(pull(strategy, checkpoint)).rejects.toThrow('down')
  a.write('a2', row('a2'))
  expect((await pull(strategy, checkpoint)).changed).toMatchObject([{ id: 'a2' }])
})

test('ways to one backend have one checkpoint: the first that answers gives the page', async () => {
  const remote = filled('n1', 'n2', 'n3')
  const strategy = fallback({ near: remote.connect(), far: remote.connect() }, { oneBackend: true })
  const first = await pull(strategy)
  remote.failNext('unreachable')
  const second = await pull(strategy, first.checkpoint)
  expect([first, second].flatMap(soundRows).map(({ id }) => id)).toEqual(['n1', 'n2', 'n3'])
})

test('changes$ of the legs that are read are one stream, without the versions of those that do not count', async () => {
  const change = (id: string) => ({ id, data: row(id), version: 7 })
  const leg = (id: string) => ({ ...new MemoryRemote().connect(), changes$: of(change(id), { hint: true as const }) })
  const strategy = all({ a: leg('a1'), b: leg('b1'), c: leg('c1') }, { reads: ['a', 'b'] })
  const told = await firstValueFrom((strategy.changes$ ?? NEVER).pipe(take(4), toArray()))
  expect(told).toEqual([change('a1'), { hint: true }, { id: 'b1', data: row('b1') }, { hint: true }])
})
