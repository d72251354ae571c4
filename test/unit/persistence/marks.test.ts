import { memoryStore, type JournalStore } from 'rx-outbox'
import { NEVER, of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { decodeRecord } from '../../../lib/storage/codec.ts'
import { decodeGroups } from '../../../lib/storage/frame.ts'
import type { JournalRecord } from '../../../lib/storage/records.ts'
import { now, pass, second, start, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { type Call, hangs, note, Remote } from '../../support/remote.ts'

useFakeTime()

/** A store that tells what was stored, when it is. */
function telling(stored: (records: JournalRecord[]) => void): JournalStore {
  const store = memoryStore()
  const { append } = store
  store.append = async (space, journal, group) => {
    await append(space, journal, group)
    stored(decodeGroups([group]).lines.flatMap((line) => decodeRecord(line) ?? []))
  }
  return store
}

/** Which tasks are marked by what is stored; and a remote that checks each call against it. */
function watched(answer: Remote['answer'] = () => of({}), keyWindow = Infinity) {
  const marked = new Set<string>()
  const ids = new Map<number, string>()
  const unmarked: string[] = []
  const storage = telling((records) => {
    for (const record of records) {
      if (record.kind === 'enqueued') ids.set(record.lsn, record.entityId)
      if (record.kind === 'sending') marked.add(ids.get(record.task) ?? '?')
    }
  })
  const remote = new Remote((call: Call) => {
    if (!marked.has(call.id)) unmarked.push(call.id)
    return answer(call)
  })
  return { storage, remote: Object.assign(remote, { keyWindow }), marked, unmarked }
}

test('nothing is sent before its mark is stored', async () => {
  for (const concurrency of [1, 7]) {
    const { storage, remote, unmarked } = watched()
    const persistence = open(remote, { storage, concurrency })
    for (let i = 0; i < 300; i++) persistence.created('note', note(`n${i}`))
    await pass(second)
    expect(remote.calls).toHaveLength(300)
    expect(unmarked).toEqual([])
  }
})

test('marks are written ahead in groups, for the next few, not for all', async () => {
  const { storage, remote, marked } = watched(() => NEVER)
  const persistence = open(remote, { storage })
  for (let i = 0; i < 5_000; i++) persistence.created('note', note(`n${i}`))
  await now()
  expect(remote.calls).toHaveLength(1)
  expect(marked.size).toBeGreaterThan(1)
  expect(marked.size).toBeLessThanOrEqual(16)
})

test('never for a task behind another of its lane, nor for one whose dependency is not done', async () => {
  const { storage, remote, marked } = watched(() => NEVER)
  const persistence = open(remote, { storage })
  persistence.created('tag', note('t1'))
  persistence.created('note', note('n1'), { dependsOn: [{ entityType: 'tag', id: 't1' }] })
  persistence.created('note', note('n2'))
  await now()
  expect([...marked]).toEqual(['t1', 'n2'])
  persistence.updated('tag', note('t1', 'new'))
  await pass(second)
  expect([...marked]).toEqual(['t1', 'n2'])
})

test('while offline or paused nothing is marked, so that it can still be merged', async () => {
  const { storage, remote, marked } = watched()
  const online$ = network(false)
  const persistence = open(remote, { storage, online$ })
  persistence.created('note', note('n1', 'a'))
  await now()
  persistence.updated('note', note('n1', 'b'))
  await now()
  expect(marked.size).toBe(0)
  online$.next(true)
  await now()
  expect(remote.log).toEqual(['create n1 b'])
})

test('with keyWindow 0 only the one about to go is marked', async () => {
  for (const concurrency of [1, 3]) {
    const { storage, remote, marked, unmarked } = watched(hangs, 0)
    const persistence = open(remote, { storage, concurrency })
    for (let i = 0; i < 20; i++) persistence.created('note', note(`n${i}`))
    await pass(second)
    expect(remote.calls).toHaveLength(concurrency)
    expect(marked.size).toBe(concurrency)
    expect(unmarked).toEqual([])
  }
})

test('with keyWindow 0 also in the middle of a drain', async () => {
  let most = 0
  const { storage, remote, marked } = watched((call) => {
    most = Math.max(most, marked.size - remote.calls.indexOf(call))
    return of({})
  }, 0)
  const persistence = open(remote, { storage })
  for (let i = 0; i < 20; i++) persistence.created('note', note(`n${i}`))
  await pass(second)
  expect(remote.calls).toHaveLength(20)
  expect(most).toBe(1)
})

describe('the input is frozen by the mark', () => {
  test('its own id and version, and what it is merged with', async () => {
    const storage = memoryStore()
    const remote = new Remote(() => of({ backendId: 'b1', version: 'v1' }))
    const persistence = open(remote, { storage })
    persistence.created('note', note('n1', 'a'))
    await now()
    remote.answer = () => NEVER
    persistence.updated('note', note('n1', 'b'))
    await now()
    persistence.updated('note', note('n1', 'c'))
    await now()
    await persistence.close()
    remote.answer = () => of({ version: 'v2' })
    open(remote, { storage })
    await now()
    expect(remote.log).toEqual(['create n1 a', 'update n1 b', 'update n1 b', 'update n1 c'])
    const [, first, again, last] = remote.calls.map(({ attempt }) => [attempt.backendId, attempt.version])
    expect(first).toEqual(['b1', 'v1'])
    expect(again).toEqual(['b1', 'v1'])
    expect(last).toEqual(['b1', 'v2'])
    const keys = remote.calls.map(({ attempt }) => attempt.idempotencyKey)
    expect(keys[1]).toBe(keys[2])
    expect(new Set(keys).size).toBe(3)
  })

  test('firstSentAt is never later than the first request, and stays', async () => {
    const remote = new Remote(() => NEVER)
    const persistence = open(remote, { attemptTimeout: second })
    persistence.created('note', note('n1'))
    await pass(30 * second)
    const shown: (number | undefined)[] = []
    persistence.queue$.subscribe((tasks) => shown.push(...tasks.map(({ firstSentAt }) => firstSentAt)))
    expect(shown).toEqual([start])
  })

  test('data that the app goes on changing is sent as it was', async () => {
    const remote = new Remote()
    const persistence = open(remote)
    const mine = note('n1', 'as it was')
    persistence.created('note', mine)
    mine.text = 'changed'
    await now()
    expect(remote.log).toEqual(['create n1 as it was'])
  })

  test('a strategy that changes its copy changes nothing', async () => {
    const seen: string[] = []
    const persistence = open(
      Object.assign(new Remote(), {
        persistCreate: ({ data }: { data: { text: string } }) => {
          seen.push(data.text)
          data.text = 'changed'
          return seen.length < 2 ? Promise.reject(new Error('busy')) : Promise.resolve({})
        },
      }),
    )
    const receipt = persistence.created('note', note('n1', 'mine'))
    await pass(180 * second)
    expect(seen).toEqual(['mine', 'mine'])
    expect(await receipt.settled).toMatchObject({ task: { data: { text: 'mine' } } })
  })
})

test('saveProgress is durable when it resolves, and handed to the next attempt, also after a restart', async () => {
  const storage = memoryStore()
  const steps: unknown[] = []
  const remote = new Remote(async ({ attempt }) => {
    steps.push(attempt.progress)
    await attempt.saveProgress({ step: steps.length, at: new Date(0) })
    await new Promise(() => undefined)
  })
  const first = open(remote, { storage, attemptTimeout: second })
  first.created('note', note('n1'))
  await pass(181 * second)
  expect(steps).toEqual([undefined, { step: 1, at: new Date(0) }])
  await first.close()
  open(remote, { storage })
  await pass(800 * second)
  expect(steps[2]).toEqual({ step: 2, at: new Date(0) })
})
