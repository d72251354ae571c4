import { type JournalStore, memoryStore, NetworkError } from 'rx-outbox'
import { of } from 'rxjs'
import { expect, test } from 'vitest'
import type { LocalForageLike } from '../../../lib/api.ts'
import { fakeForage } from '../../support/fakeForage.ts'
import { minute, now, pass, second, useFakeTime } from '../../support/fakeTime.ts'
import { mortal } from '../../support/mortalStore.ts'
import { heard, open } from '../../support/opened.ts'
import { type Call, note, Remote } from '../../support/remote.ts'

useFakeTime()

const retryConfig = { initialDelay: 500, multiplier: 1 }

/** A backend that applies each key once, and loses every third answer after it has applied. */
function backend() {
  const bodies = new Map<string, string>()
  const wrong: string[] = []
  let calls = 0
  const remote = new Remote(({ attempt: { idempotencyKey: key }, operation, id, text }: Call) => {
    const body = `${operation} ${id} ${text ?? ''}`
    if (bodies.has(key) && bodies.get(key) !== body) wrong.push(`${key} stands for ${bodies.get(key)} and ${body}`)
    bodies.set(key, body)
    if (++calls % 3 === 0) return Promise.reject(new NetworkError('the answer was lost'))
    return of({ backendId: `b-${id}` })
  })
  return { remote, bodies, wrong }
}

/** A short life of an app; `killAt`: the number of the write, to either store, that is not done any more. */
async function lived(killAt: number) {
  const forage = fakeForage()
  const [disk, kept] = [mortal(memoryStore()), forage.mortal()]
  let writes = 0
  const counted =
    <A extends unknown[], R>(call: (...args: A) => R) =>
    (...args: A): R => {
      if (writes++ === killAt) for (const { kill } of [disk, kept]) kill()
      return call(...args)
    }
  const storage: JournalStore = {
    ...disk.store,
    append: counted(disk.store.append),
    replace: counted(disk.store.replace),
    remove: counted(disk.store.remove),
    // The killed one is only put away.
    close: async () => undefined,
  }
  const snapshot: LocalForageLike = {
    ...kept.forage,
    setItem: counted(kept.forage.setItem),
    removeItem: counted(kept.forage.removeItem),
  }
  const { remote, bodies, wrong } = backend()
  const persistence = open(remote, { storage, snapshot, retryConfig })
  const stored = new Map<string, number>()
  const ended = new Set<string>()
  persistence.results$.subscribe(({ taskId, status }) => status !== 'retrying' && ended.add(taskId))
  const { created, updated, deleted } = persistence
  const steps = [
    () => created('note', note('n1', 'a')),
    () => created('note', note('n2', 'a')),
    () => updated('note', note('n1', 'b')),
    () => created('tag', note('t1', 'a'), { dependsOn: [{ entityType: 'note', id: 'n2' }] }),
    () => updated('note', note('n2', 'b')),
    () => deleted('note', 'n2'),
    () => updated('note', note('n1', 'c')),
  ]
  for (const step of steps) {
    const { taskId, durable } = step()
    durable.then(
      () => stored.set(taskId, Date.now()),
      () => undefined,
    )
    await pass(2 * second)
  }
  await pass(10 * second)
  void persistence.close()
  await pass(minute)
  return { writes, forage, remote, bodies, wrong, stored, ended }
}

test('killed at any write to either store, then wiped: what was stored before the time that is named comes to its end, under its own key', async () => {
  const { writes, forage: whole } = await lived(Infinity)
  expect(writes).toBeGreaterThan(30)
  expect(whole.items.size).toBeGreaterThan(1)
  let restored = 0
  for (let at = 0; at < writes; at++) {
    const { forage, remote, wrong, stored, ended } = await lived(at)
    const again = open(remote, { storage: memoryStore(), snapshot: forage, retryConfig })
    const told = heard(again.bus, 'storage:lost', 'storage:recovered')
    again.results$.subscribe(({ taskId, status }) => status !== 'retrying' && ended.add(taskId))
    await now()
    const [lost, recovered] = told
    const since = lost && 'since' in lost.payload ? (lost.payload.since ?? 0) : 0
    await pass(10 * second)
    await again.idle()
    expect([...stored].filter(([taskId, when]) => when < since && !ended.has(taskId))).toEqual([])
    expect(wrong).toEqual([])
    expect(told.length).toBe(since > 0 ? 2 : 0)
    if (recovered && 'tasks' in recovered.payload) restored += recovered.payload.tasks
    await again.close()
  }
  expect(restored).toBeGreaterThan(10)
}, 60_000)
