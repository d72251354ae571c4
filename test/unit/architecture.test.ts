import { describe, expect, test } from 'vitest'
import { callsOf, circlesOf, globalsOf, importedFrom, sourcesOf, type Source } from '../support/sources.ts'
import { doors } from '../../scripts/doors.mjs'

const lib = sourcesOf('lib')
const strategies = sourcesOf('strategies')
const demo = sourcesOf('demo')

/** From the bottom up: a file imports from its own row and those before it. What no row names is in `middle`. */
const rows = [
  ['lib/conflict.ts', 'lib/types.ts', 'lib/remote.ts', 'lib/events.ts', 'lib/standardSchema.ts'],
  ['lib/errors.ts'],
  ['lib/api.ts', 'lib/storage/journalStore.ts'],
  ['lib/environment.ts'],
  ['middle'],
  ['lib/persistence.ts'],
  ['lib/composables/', 'lib/testing/', 'lib/index.ts'],
]
const middle = rows.findIndex(([name]) => name === 'middle')

function rowOf(path: string): number {
  const row = rows.findIndex((names) =>
    names.some((name) => (name.endsWith('/') ? path.startsWith(name) : path === name)),
  )
  return row < 0 ? middle : row
}

/** `file: what is wrong`, for each wrong thing that `find` returns. */
function wrong(sources: readonly Source[], find: (source: Source) => Iterable<string>): string[] {
  return sources.flatMap((source) => [...find(source)].map((what) => `${source.path}: ${what}`))
}

function importsOf(sources: readonly Source[], forbidden: (name: string, from: string) => boolean): string[] {
  return wrong(sources, ({ path, imports }) => imports.filter((name) => forbidden(name, path)))
}

const isOf = (name: string, ...packages: string[]) => packages.some((one) => name === one || name.startsWith(`${one}/`))

describe('imports', () => {
  test('the library is there to be looked at', () => {
    expect(lib.length).toBeGreaterThan(20)
    expect(strategies.length).toBeGreaterThan(0)
    expect(demo.length).toBeGreaterThan(5)
  })

  test('point downwards: types, errors, the middle, persistence, the doors', () => {
    const upwards = (name: string, from: string) => name.startsWith('lib/') && rowOf(name) > rowOf(from)
    expect(importsOf(lib, upwards)).toEqual([])
  })

  test('never go in a circle', () => {
    expect(circlesOf([...lib, ...strategies])).toEqual([])
  })

  test('of the library never reach strategies, demo or tests', () => {
    expect(importsOf(lib, (name) => isOf(name, 'strategies', 'demo', 'test', 'rx-outbox'))).toEqual([])
  })

  test('of a strategy know the library by its door only', () => {
    expect(importsOf(strategies, (name) => isOf(name, 'lib', 'demo', 'test') || name.startsWith('rx-outbox/'))).toEqual(
      [],
    )
  })

  test('of the demo know the package by its doors only', () => {
    expect(importsOf(demo, (name) => isOf(name, 'lib', 'strategies', 'test'))).toEqual([])
    expect(importsOf(demo, (name) => isOf(name, 'rx-outbox') && !Object.hasOwn(doors, name))).toEqual([])
  })

  test('of localforage, Vue and ky stay where they belong', () => {
    const sources = [...lib, ...strategies]
    const outside = (allowed: (path: string) => boolean, ...packages: string[]) =>
      importsOf(sources, (name, from) => isOf(name, ...packages) && !allowed(from))

    const storage = ['lib/storage/localforage.ts', 'strategies/crdt/documentStorage.ts']
    expect(outside((path) => storage.includes(path), 'localforage')).toEqual([])
    expect(outside((path) => path === 'lib/resolvers/mergeText.ts', 'node-diff3')).toEqual([])
    expect(outside((path) => path.startsWith('lib/composables/'), 'vue', '@vueuse', 'pinia')).toEqual([])
    expect(outside((path) => path === 'strategies/rest.ts' || path.startsWith('strategies/rest/'), 'ky')).toEqual([])
  })

  test('of the library reach no package but those it declares', () => {
    const optional = ['vue', '@vueuse/rxjs', 'yjs', '@hocuspocus/provider', '@trystero-p2p/core']
    const declared = ['rxjs', 'localforage', 'zod', 'ky', 'node-diff3', ...optional, 'rx-outbox']
    const undeclared = (name: string) => !/^(lib|strategies)\//.test(name) && !isOf(name, ...declared)
    expect(importsOf([...lib, ...strategies], undeclared)).toEqual([])
  })
})

describe('the outer world', () => {
  const world = [
    'Date.now',
    'Math.random',
    'setTimeout',
    'setInterval',
    'clearTimeout',
    'clearInterval',
    'requestAnimationFrame',
    'requestIdleCallback',
    'performance',
    'crypto',
    'navigator',
    'window',
    'self',
    'globalThis',
    'localStorage',
    'indexedDB',
    'BroadcastChannel',
    'Worker',
  ]
  test('is touched in one file only; a worker is a world of its own, and has another one', () => {
    const seams = ['lib/environment.ts', 'lib/storage/opfsWorker.ts']
    const outside = lib.filter(({ path }) => !seams.includes(path))
    expect(wrong(outside, (source) => world.filter((name) => globalsOf(source).has(name)))).toEqual([])
  })

  test('has one page, which only the Vue door looks at, in one file', () => {
    const outside = lib.filter(({ path }) => path !== 'lib/composables/browserWindow.ts')
    expect(wrong(outside, (source) => (globalsOf(source).has('document') ? ['document'] : []))).toEqual([])
  })

  test('gives its time by the scheduler that was handed in', () => {
    // An operator by itself takes RxJS's own default, as those of RxJS do; the library always hands one in.
    const outside = lib.filter(({ path }) => path !== 'lib/environment.ts' && !path.startsWith('lib/operators/'))
    const ofRealTime = ['asyncScheduler', 'animationFrameScheduler', 'animationFrames']
    const schedulers = (source: Source) => importedFrom(source, 'rxjs').filter((name) => ofRealTime.includes(name))
    expect(wrong(outside, schedulers)).toEqual([])

    const timed =
      'timer interval delay debounceTime throttleTime auditTime sampleTime bufferTime windowTime timeout timestamp timeInterval'
    const byRealTime = (source: Source) => callsOf(source, timed.split(' ')).filter((call) => !/scheduler/i.test(call))
    expect(wrong(lib, (source) => (source.imports.includes('rxjs') ? byRealTime(source) : []))).toEqual([])
  })

  test('hears nothing on the console', () => {
    expect(wrong([...lib, ...strategies], (source) => (globalsOf(source).has('console') ? ['console'] : []))).toEqual(
      [],
    )
  })
})

describe('files', () => {
  test('are short: none over 250 lines, at least half of the library under 60', () => {
    expect(wrong(lib, ({ lines }) => (lines > 250 ? [`${lines} lines`] : []))).toEqual([])
    const short = lib.filter(({ lines }) => lines < 60)
    expect(short.length).toBeGreaterThanOrEqual(lib.length / 2)
  })

  test('are named in camelCase after one idea', () => {
    const names = [...lib, ...strategies].map(({ path }) => path.split('/').at(-1) ?? '')
    expect(names.filter((name) => !/^[a-z][a-zA-Z0-9]*\.ts$/.test(name))).toEqual([])
    expect(
      names.filter((name) => /^(utils?|helpers?|common|misc)\.ts$|(Manager|Helper|Service|Utils?)\.ts$/.test(name)),
    ).toEqual([])
  })

  test('of operators are named after the operator they export', () => {
    const operators = lib.filter(({ path }) => path.startsWith('lib/operators/'))
    const named = ({ path, ast }: Source) => {
      const name = path.split('/').at(-1)?.replace('.ts', '')
      return new RegExp(`^export (async )?(function|const) ${name}\\b`, 'm').test(ast.text)
        ? []
        : [`exports no ${name}`]
    }
    expect(wrong(operators, named)).toEqual([])
  })
})
