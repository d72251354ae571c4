import type { PersistenceStrategy, Reconciliation } from 'rx-outbox'
import { all, any, fallback, quorum, route } from 'rx-outbox/hybrid'
import { from, lastValueFrom } from 'rxjs'
import { expect, test, vi } from 'vitest'
import { create, item, type Item, LegRemote, Task, thrown } from './support.ts'

const entity = {
  id: 'n1',
  entityType: 'item',
  data: item,
  metadata: { syncStatus: 'syncing', retryCount: 0, maxRetries: 3 } as const,
}

const leg = (parts: Partial<PersistenceStrategy<Item>> = {}) => new LegRemote().strategy(parts)

/** A leg whose remote forgets keys, and says this when it is asked. */
const forgetful = (said: Reconciliation<Item>) => leg({ keyWindow: 1_000, reconcile: () => Promise.resolve(said) })

function reconciled(strategy: PersistenceStrategy<Item>, task = new Task()) {
  return lastValueFrom(from(strategy.reconcile?.(entity, task.context()) ?? []))
}

test('legs that do the same elsewhere have keys of their own; ways to the same effect have one', async () => {
  const legs = () => ({ a: new LegRemote(), b: new LegRemote() })
  const keysOf = async (combine: (legs: Record<'a' | 'b', PersistenceStrategy<Item>>) => PersistenceStrategy<Item>) => {
    const { a, b } = legs()
    a.mood = () => 'down'
    await create(combine({ a: a.strategy(), b: b.strategy() }), new Task().context()).catch(() => undefined)
    return [...a.attempts, ...b.attempts].map(({ idempotencyKey }) => idempotencyKey)
  }
  expect(await keysOf(all)).toEqual(['key', 'key.b'])
  expect(await keysOf((both) => any(both, { primary: 'b' }))).toEqual(['key.a', 'key'])
  expect(await keysOf(fallback)).toEqual(['key', 'key'])
  expect(await keysOf((both) => route(() => 'b', both))).toEqual(['key'])
})

test('what one leg does to its copy of an entity, no other sees', async () => {
  const seen: string[] = []
  const meddling = leg({
    persistCreate: ({ data }) => {
      seen.push(data.text)
      data.text = 'changed'
      return Promise.resolve({})
    },
  })
  await create(all({ a: meddling, b: meddling }), new Task().context())
  expect(seen).toEqual(['hello', 'hello'])
})

test('each leg finds the progress that it saved itself', async () => {
  const seen: unknown[] = []
  const stepping = (name: string) =>
    leg({
      persistCreate: async (_entity, { progress, saveProgress }) => {
        seen.push(progress)
        await saveProgress(`${name} 1`)
        if (progress === undefined) throw new Error('not yet')
        return {}
      },
    })
  const strategy = all({ a: stepping('a'), b: all({ c: stepping('c'), d: stepping('d') }) })
  const task = new Task()
  await thrown(create(strategy, task.context()))
  await create(strategy, task.context())
  expect(seen).toEqual([undefined, undefined, undefined, 'a 1', 'c 1', 'd 1'])
})

test('progress that another strategy left behind says nothing', async () => {
  for (const progress of ['step 2', { done: {}, legs: [] }, null]) {
    const remote = new LegRemote()
    await create(all({ a: remote.strategy() }), new Task().context({ progress }))
    expect(remote.effects).toHaveLength(1)
  }
})

test('once enough have confirmed, the others have their grace, and are aborted then', async () => {
  vi.useFakeTimers()
  try {
    const [a, slow] = [new LegRemote(), new LegRemote()]
    slow.mood = () => 'silent'
    const isDone = vi.fn<() => void>()
    const done = create(quorum(1, { slow: slow.strategy(), a: a.strategy() }), new Task().context()).then(isDone)
    await vi.advanceTimersByTimeAsync(4_999)
    expect(isDone).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    await done
    expect(slow.attempts[0]?.signal.aborted).toBe(true)
  } finally {
    vi.useRealTimers()
  }
})

test('an abort reaches every leg, and is the error', async () => {
  const [a, b] = [new LegRemote(), new LegRemote()]
  a.mood = b.mood = () => 'silent'
  const controller = new AbortController()
  const attempt = thrown(
    create(all({ a: a.strategy(), b: b.strategy() }), new Task().context({ signal: controller.signal })),
  )
  const enough = new Error('enough')
  controller.abort(enough)
  expect(await attempt).toBe(enough)
  expect([...a.attempts, ...b.attempts].map(({ signal }) => signal.aborted)).toEqual([true, true])
})

test('route asks whoever is chosen at each attempt, and refuses a name that is none', async () => {
  const [a, b] = [new LegRemote(), new LegRemote()]
  a.mood = () => 'down'
  let isNear = true
  const strategy = route<Item, 'a' | 'b'>(() => (isNear ? 'a' : 'b'), { a: a.strategy(), b: b.strategy() })
  const task = new Task()
  await thrown(create(strategy, task.context()))
  isNear = false
  await create(strategy, task.context())
  expect([a.attempts.length, b.effects.length]).toEqual([1, 1])
  const lost = route(() => 'c' as 'a', { a: a.strategy() })
  expect(await thrown(create(lost, new Task().context()))).toMatchObject({ message: expect.stringContaining('said c') })
})

test('the smallest key window counts; where no remote forgets, nobody is asked', () => {
  expect(all({ a: leg({ keyWindow: 5 }), b: leg() }).keyWindow).toBe(5)
  expect(all({ a: leg(), b: leg() })).toMatchObject({ keyWindow: Infinity })
  expect(all({ a: leg(), b: leg() })).not.toHaveProperty('reconcile')
})

test('it was applied when enough legs say so; one that does not know is enough not to know', async () => {
  const [yes, no, perhaps] = [forgetful({ applied: true }), forgetful({ applied: false }), forgetful('unknown')]
  expect(await reconciled(all({ yes, too: yes }))).toMatchObject({ applied: true })
  expect(await reconciled(all({ yes, no }))).toEqual({ applied: false })
  expect(await reconciled(all({ yes, perhaps }))).toBe('unknown')
  expect(await reconciled(any({ perhaps, yes }))).toMatchObject({ applied: true })
  expect(await reconciled(quorum(2, { perhaps, yes, no }))).toBe('unknown')
  expect(await reconciled(all({ yes, remembers: leg() }))).toEqual({ applied: false })
})

test('a leg that has applied it is not sent it again after that', async () => {
  const [applied, missing] = [new LegRemote(), new LegRemote()]
  const strategy = all({
    applied: applied.strategy({
      keyWindow: 0,
      reconcile: () => Promise.resolve({ applied: true, receipt: { backendId: 'b1' } }),
    }),
    missing: missing.strategy({ keyWindow: 0, reconcile: () => Promise.resolve({ applied: false }) }),
  })
  const task = new Task()
  expect(await reconciled(strategy, task)).toEqual({ applied: false })
  expect(await create(strategy, task.context())).toMatchObject({ backendId: 'b1' })
  expect([applied.attempts.length, missing.attempts.length]).toEqual([0, 1])
})

test('waiting changes are joined as the primary joins them', () => {
  const joining = leg({ coalesce: (older, newer) => ({ ...newer, text: older.text + newer.text }) })
  expect(all({ a: leg(), b: joining }, { primary: 'b' }).coalesce?.(item, item)).toMatchObject({ text: 'hellohello' })
  expect(all({ a: leg(), b: joining })).not.toHaveProperty('coalesce')
})
