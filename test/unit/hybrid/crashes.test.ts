import * as fc from 'fast-check'
import type { PersistenceStrategy } from 'rx-outbox'
import { all, any, fallback, quorum, route } from 'rx-outbox/hybrid'
import { expect, test } from 'vitest'
import { create, type Item, LegRemote, type Mood, Task } from './support.ts'

const names = ['a', 'b', 'c', 'd', 'e'] as const
type Name = (typeof names)[number]

interface Happens {
  /** Who has the task says so whenever it is asked. */
  isClear?: boolean

  moods: Mood[][]
  endings: { is: 'crash' | 'abort' | 'none'; turns: number }[]
}

/** What becomes of the calls of each leg, and of the attempts: the app dies after so many turns, or gives up, or neither. */
function historyOf(...kinds: (Mood | 'crash' | 'abort')[]): fc.Arbitrary<Happens> {
  const isMood = (kind: string): kind is Mood => kind !== 'crash' && kind !== 'abort'
  const ends = kinds.filter((kind) => !isMood(kind))
  return fc.record({
    moods: fc.array(fc.array(fc.constantFrom<Mood[]>('fine', ...kinds.filter(isMood)), { maxLength: 4 }), {
      minLength: names.length,
      maxLength: names.length,
    }),
    endings: fc.array(fc.record({ is: fc.constantFrom('none', ...ends), turns: fc.nat({ max: 24 }) }), {
      maxLength: 8,
    }),
  })
}

const everything = historyOf('lost', 'down', 'refused', 'never', 'silent', 'crash', 'abort')
/** Nobody is ever in doubt for long. */
const clear = historyOf('down', 'refused', 'never', 'crash').map(({ moods, endings }) => ({
  moods,
  endings,
  isClear: true,
}))

type Build = (strategies: Record<Name, PersistenceStrategy<Item>>) => PersistenceStrategy<Item>

/** Lives one task through whatever happens until it is persisted, with a new app for each attempt. */
async function live(build: Build, { moods, endings, isClear = false }: Happens) {
  const remotes = Object.fromEntries(names.map((name) => [name, new LegRemote()])) as Record<Name, LegRemote>
  const task = new Task()
  /** Since the app was ended last. */
  const confirmed = new Set<Name>()
  const repeated: Name[] = []
  for (const [i, name] of names.entries()) {
    const left = [...(moods[i] ?? [])]
    remotes[name].mood = () => {
      if (confirmed.has(name)) repeated.push(name)
      return isClear && remotes[name].known.size > 0 ? 'fine' : (left.shift() ?? 'fine')
    }
    remotes[name].confirmed = () => confirmed.add(name)
  }
  const fairDays = Array.from({ length: 40 }, () => ({ is: 'none' as const, turns: 0 }))
  for (const { is, turns } of [...endings, ...fairDays]) {
    const outbox = new AbortController()
    const strategy = build(mapped((name) => remotes[name].strategy()))
    let ended: 'persisted' | 'failed' | undefined
    const attempt = create(strategy, task.context({ signal: outbox.signal })).then(
      () => (ended = 'persisted'),
      () => (ended = 'failed'),
    )
    if (is === 'none') await nothingMoves()
    else for (let turn = 0; turn < turns && !ended; turn++) await Promise.resolve()
    if (ended === 'persisted')
      return { repeated, persisted: true, effects: mapped((name) => remotes[name].effects.length) }
    if (is === 'crash') {
      task.crash()
      await nothingMoves()
    } else {
      outbox.abort()
      if ((await attempt) === 'persisted')
        return { repeated, persisted: true, effects: mapped((name) => remotes[name].effects.length) }
    }
    if (is !== 'none') confirmed.clear()
  }
  return { repeated, persisted: false, effects: mapped((name) => remotes[name].effects.length) }
}

function mapped<V>(of: (name: Name) => V): Record<Name, V> {
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, V>
}

const nothingMoves = () => new Promise<void>((done) => setImmediate(done))

const sum = (effects: Record<string, number>) => Object.values(effects).reduce((total, one) => total + one, 0)
const most = (effects: Record<string, number>) => Math.max(...Object.values(effects))

async function holds(
  build: Build,
  history: fc.Arbitrary<Happens>,
  check: (lived: Awaited<ReturnType<typeof live>>) => void,
) {
  const property = fc.asyncProperty(history, async (happens) => {
    const lived = await live(build, happens)
    expect(lived.persisted).toBe(true)
    check(lived)
  })
  await fc.assert(property, { numRuns: Number(process.env['HISTORIES'] ?? 300) })
}

/** The same legs in another order at each start. */
function shuffled<V>(legs: Record<string, V>): Record<string, V> {
  const entries = Object.entries(legs)
  turns++
  return Object.fromEntries([...entries.slice(turns % entries.length), ...entries.slice(0, turns % entries.length)])
}
let turns = 0

test('all: each leg has the effect exactly once, and none is called again after it confirmed', async () => {
  await holds(
    (legs) => all(shuffled(legs), { primary: 'b' }),
    everything,
    ({ effects, repeated }) => {
      expect(effects).toEqual({ a: 1, b: 1, c: 1, d: 1, e: 1 })
      expect(repeated).toEqual([])
    },
  )
})

test.each([1, 2, 3, 4, 5])('quorum(%i): at least so many have the effect, nobody twice', async (n) => {
  await holds(
    (legs) => quorum(n, shuffled(legs), { grace: 0, primary: 'a' }),
    everything,
    ({ effects, repeated }) => {
      expect(sum(effects)).toBeGreaterThanOrEqual(n)
      expect(most(effects)).toBe(1)
      expect(repeated).toEqual([])
    },
  )
})

test('fallback: somebody has the effect, nobody twice', async () => {
  await holds(fallback, everything, ({ effects, repeated }) => {
    expect(sum(effects)).toBeGreaterThanOrEqual(1)
    expect(most(effects)).toBe(1)
    expect(repeated).toEqual([])
  })
})

test('fallback: exactly one leg has it, where legs leave no doubt, whenever the app dies', async () => {
  await holds(fallback, clear, ({ effects }) => expect(sum(effects)).toBe(1))
})

test('route: exactly one leg has it, where legs leave no doubt, even if each start chooses another one', async () => {
  let asked = 0
  const choose = () => names[asked++ % names.length] ?? 'a'
  await holds(
    (legs) => route(choose, legs),
    clear,
    ({ effects }) => expect(sum(effects)).toBe(1),
  )
})

test('nested: each inner combination keeps its own progress', async () => {
  const nested: Build = ({ a, b, c, d, e }) =>
    all({ one: fallback({ a, b }), two: any({ c, d }, { grace: 0 }), three: all({ e }) })
  await holds(nested, everything, ({ effects, repeated }) => {
    expect(effects.a + effects.b).toBeGreaterThanOrEqual(1)
    expect(effects.c + effects.d).toBeGreaterThanOrEqual(1)
    expect(effects.e).toBe(1)
    expect(most(effects)).toBe(1)
    expect(repeated).toEqual([])
  })
  await holds(nested, clear, ({ effects }) => expect(effects.a + effects.b).toBe(1))
})
