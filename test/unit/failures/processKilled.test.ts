import { type JournalStore, memoryStore, NetworkError } from 'rx-outbox'
import { of } from 'rxjs'
import { expect, test } from 'vitest'
import { hour, minute, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { open } from '../../support/opened.ts'
import { type Call, note, Remote } from '../../support/remote.ts'

useFakeTime()

/** Everything that was stored, write by write: where the process may have been killed. */
function recorded() {
  const storage = memoryStore()
  const writes: (() => JournalStore)[] = []
  const states = [new Map<string, Uint8Array[]>()]
  const remember = (space: string, journal: string, change: (groups: Uint8Array[]) => Uint8Array[]) => {
    const before = states.at(-1) ?? new Map<string, Uint8Array[]>()
    const key = JSON.stringify([space, journal])
    states.push(new Map(before).set(key, change(before.get(key) ?? [])))
  }
  const { append, replace } = storage
  storage.append = async (space, journal, group) => {
    await append(space, journal, group)
    remember(space, journal, (groups) => [...groups, group])
  }
  storage.replace = async (space, journal, group) => {
    await replace(space, journal, group)
    remember(space, journal, () => [group])
  }
  async function restored(at: number): Promise<JournalStore> {
    const copy = memoryStore()
    for (const [key, groups] of states[at] ?? []) {
      const [space, journal] = JSON.parse(key)
      for (const group of groups) await copy.append(space, journal, group)
    }
    return copy
  }
  return { storage, writes, moments: () => states.length, restored }
}

/** A backend that applies each key once, and loses every third answer after it has applied. */
function backend() {
  const applied: string[] = []
  const keys = new Set<string>()
  let calls = 0
  const remote = new Remote((call: Call) => {
    const { attempt, operation, id, text } = call
    if (!keys.has(attempt.idempotencyKey)) applied.push(`${operation} ${id} ${text ?? ''}`.trim())
    keys.add(attempt.idempotencyKey)
    if (++calls % 3 === 0) return Promise.reject(new NetworkError('the answer was lost'))
    return of({ backendId: `b-${id}` })
  })
  return { remote, applied, keys }
}

/** A short life of an app, one moment after the other. */
async function live(persistence: ReturnType<typeof open>): Promise<void> {
  persistence.created('note', note('n1', 'a'))
  persistence.created('note', note('n2', 'a'))
  await now()
  persistence.updated('note', note('n1', 'b'))
  persistence.created('tag', note('t1', 'a'), { dependsOn: [{ entityType: 'note', id: 'n2' }] })
  persistence.updated('note', note('n2', 'b'))
  await now()
  persistence.deleted('note', 'n2')
  persistence.updated('note', note('n1', 'c'))
  await now()
}

/** What the backend holds when it has done all that. */
function endState(applied: string[]): Map<string, string> {
  const state = new Map<string, string>()
  for (const line of applied) {
    const [operation = '', id = '', text = ''] = line.split(' ')
    if (operation === 'delete') state.delete(id)
    else state.set(id, text)
  }
  return state
}

test('killed at any moment, nothing durable is lost, and each write is applied once, in order', async () => {
  const first = recorded()
  const whole = backend()
  const life = open(whole.remote, { storage: first.storage })
  await live(life)
  await pass(4 * hour)
  await life.idle()
  expect(endState(whole.applied)).toEqual(
    new Map([
      ['n1', 'c'],
      ['t1', 'a'],
    ]),
  )
  expect(first.moments()).toBeGreaterThan(8)

  for (let at = 0; at < first.moments(); at++) {
    // The same backend had applied, at that moment, at most what it had applied in the end.
    const storage = await first.restored(at)
    const { remote, applied } = backend()
    const again = open(remote, { storage })
    await pass(4 * hour)
    await again.idle()
    const metadata = await again.metadata('note')
    expect([...metadata.values()].every(({ syncStatus }) => syncStatus === 'synced')).toBe(true)
    for (const id of ['n1', 'n2', 't1']) {
      const own = applied.filter((line) => line.split(' ')[1] === id)
      expect(new Set(own).size).toBe(own.length)
      const texts = own.map((line) => line.split(' ')[2] ?? 'z')
      expect(texts).toEqual([...texts].sort())
    }
    await again.close()
  }
})

test('killed again and again on the way, the backend ends as if nothing had happened', async () => {
  const { remote, applied } = backend()
  let storage: JournalStore = memoryStore()
  for (let kills = 0; kills < 12; kills++) {
    const kept = recorded()
    for (const journal of await storage.list('rx-outbox/')) {
      for (const group of await storage.read('rx-outbox/', journal))
        await kept.storage.append('rx-outbox/', journal, group)
    }
    const persistence = open(remote, { storage: kept.storage })
    if (kills === 0) await live(persistence)
    await pass(((kills * 7) % 5) * minute)
    // Killed: whatever was not stored is gone.
    storage = await kept.restored(kept.moments() - 1)
    void persistence.close()
  }
  const last = open(remote, { storage })
  await pass(10 * hour)
  await last.idle()
  expect(endState(applied)).toEqual(
    new Map([
      ['n1', 'c'],
      ['t1', 'a'],
    ]),
  )
  expect(new Set(applied).size).toBe(applied.length)
})
