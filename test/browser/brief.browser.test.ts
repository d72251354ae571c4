import { firstValueFrom } from 'rxjs'
import { usePersistence } from 'rx-outbox/vue'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { initialisation } from '../brief/initialisation.ts'
import { useMyEntitiesStore } from '../brief/myEntitiesStore.ts'
import { MyEntityRestApiStrategy } from '../brief/myEntityRestApiStrategy.ts'
import { useNotesStore } from '../brief/notesStore.ts'
import { registration } from '../brief/registration.ts'
import { retryByEntityType } from '../brief/retryByEntityType.ts'
import { appOfItsOwn, untilNothingIsDue } from '../support/appOfItsOwn.ts'
import { type ApiCall, fakeApi } from '../support/fakeApi.ts'

const minute = 60_000
const note = { id: 'n1', title: 'Milk', body: '', tagIds: [], createdAt: 0, updatedAt: 0 }
const tag = { id: 't1', name: 'shopping' }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
  onTestFinished(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })
})

/** Minutes since the first call, to the millisecond. */
function minutes(calls: ApiCall[], path: string): number[] {
  const times = calls.filter((call) => call.path === path).map(({ at }) => at)
  return times.map((at) => (at - (times[0] ?? 0)) / minute)
}

describe('the initialisation', () => {
  it('opens an outbox that calls the strategies, and the store takes back what became of its events', async () => {
    const calls = fakeApi(201, { _id: 'b1', ...note })
    const { returned: notesStore, persistence } = appOfItsOwn(initialisation)

    notesStore.addNote(note)
    await persistence.idle()

    expect(calls).toMatchObject([{ method: 'POST', path: '/api/notes', body: note }])
    expect([...notesStore.backendIds]).toEqual([['n1', 'b1']])
  })

  it('retries after 3, 12 and 48 minutes, then keeps a dead letter', async () => {
    const calls = fakeApi(500)
    const { returned: notesStore, persistence } = appOfItsOwn(initialisation)

    notesStore.addNote(note)
    await untilNothingIsDue(persistence)

    expect(minutes(calls, '/api/notes')).toEqual([0, 3, 3 + 12, 3 + 12 + 48])
    expect(await firstValueFrom(persistence.dead$)).toMatchObject([{ entityId: 'n1', retryCount: 3 }])
  })
})

describe('the configuration per entity type', () => {
  it('is merged field by field over the common one', async () => {
    const calls = fakeApi(500)
    const { returned: notesStore, persistence } = appOfItsOwn(() => {
      retryByEntityType()
      return useNotesStore()
    })

    notesStore.addNote(note)
    notesStore.addTag(tag)
    await untilNothingIsDue(persistence)

    // 5 × 4³ minutes would be more than the hour that no delay exceeds by default.
    expect(minutes(calls, '/api/notes')).toEqual([0, 5, 25, 85, 145, 205])
    expect(minutes(calls, '/api/tags')).toEqual([0, 3, 15])
  })
})

describe('the store', () => {
  it('holds what was added and says so: each entity reaches the strategy of its type', async () => {
    const calls = fakeApi(201, { ...note, ...tag })
    const { returned: store, persistence } = appOfItsOwn(initialisation)

    store.addNote(note)
    store.addTag(tag)
    await persistence.idle()

    expect([store.notes, store.tags]).toEqual([[note], [tag]])
    expect(calls.map(({ path, body }) => [path, body])).toEqual([
      ['/api/notes', note],
      ['/api/tags', tag],
    ])
  })
})

describe('a new entity type', () => {
  const myEntity = { id: 'e1', label: 'mine' }

  it('is a class with three methods', async () => {
    const calls = fakeApi(200, { _id: 'b1' })
    const strategy = new MyEntityRestApiStrategy()
    const { returned: persistence } = appOfItsOwn(() => usePersistence({ myEntity: strategy }))

    await persistence.created('myEntity', myEntity).settled
    await persistence.updated('myEntity', { ...myEntity, label: 'changed' }).settled
    await persistence.deleted('myEntity', 'e1').settled

    expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /api/my-entities',
      'PUT /api/my-entities/e1',
      'DELETE /api/my-entities/e1',
    ])
  })

  it('is registered in a bare map of strategies, and its events reach it', async () => {
    const calls = fakeApi(200, { _id: 'b1' })
    const { returned: store, persistence } = appOfItsOwn(() => {
      registration()
      return useMyEntitiesStore()
    })

    store.add(myEntity)
    await persistence.idle()

    expect(calls).toMatchObject([{ method: 'POST', path: '/api/my-entities', body: myEntity }])
    expect(await persistence.metadata('myEntity', 'e1')).toMatchObject({ syncStatus: 'synced', backendId: 'b1' })
  })

  it('is retried by the formula with nothing configured', async () => {
    const calls = fakeApi(500)
    const { returned: store, persistence } = appOfItsOwn(() => {
      registration()
      return useMyEntitiesStore()
    })

    store.add(myEntity)
    await untilNothingIsDue(persistence)

    expect(minutes(calls, '/api/my-entities')).toEqual([0, 3, 15, 63])
  })
})
