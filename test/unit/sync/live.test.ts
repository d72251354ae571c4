import { NetworkError, type RemoteChange } from 'rx-outbox'
import { Observable, type Subscriber } from 'rxjs'
import { expect, test } from 'vitest'
import { appStore, errorsOf } from '../../support/appStore.ts'
import { now, pass, second, useFakeTime } from '../../support/fakeTime.ts'
import { ModelServer } from '../../support/modelServer.ts'
import { network, open } from '../../support/opened.ts'
import { note, type Note, Remote } from '../../support/remote.ts'

useFakeTime()

function openLive(options: Parameters<typeof open>[1] = {}, server = new ModelServer(), isPulled = true) {
  const store = appStore()
  let subscriptions = 0
  let listener: Subscriber<RemoteChange<Note>> | undefined
  const changes$ = new Observable<RemoteChange<Note>>((subscriber) => {
    subscriptions++
    listener = subscriber
    return () => (listener = undefined)
  })
  const strategies = { note: { ...server.strategy({ isPulled }), changes$ }, tag: new Remote() }
  const persistence = open(new Remote(), { apply: store.apply, pull: { interval: false }, ...options }, strategies)
  return { store, persistence, server, listener: () => listener, subscriptions: () => subscriptions }
}

test('a hint pulls; a row is taken over as it is', async () => {
  const { store, server, listener } = openLive()
  await now()
  server.put('n1', 'a')
  listener()?.next({ hint: true })
  await now()
  expect(store.notes.get('n1')).toBe('a')
  const before = server.pulls.length
  listener()?.next({ id: 'n2', data: note('n2', 'b'), version: 4 })
  await now()
  expect(store.notes.get('n2')).toBe('b')
  listener()?.next({ id: 'n2', deleted: true })
  await now()
  expect(store.notes.has('n2')).toBe(false)
  expect(server.pulls).toHaveLength(before)
})

test('it is listened to while online, and after an error again; each time a pull follows', async () => {
  const online$ = network(true)
  const { server, persistence, listener, subscriptions } = openLive({ online$ })
  const errors = errorsOf(persistence)
  await now()
  listener()?.error(new NetworkError('cut'))
  expect(errors).toEqual(['NetworkError: cut'])
  await pass(4 * second)
  expect([subscriptions(), server.pulls.length]).toEqual([1, 1])
  await pass(2 * second)
  expect([subscriptions(), server.pulls.length]).toEqual([2, 2])
  online$.next(false)
  expect(listener()).toBeUndefined()
  online$.next(true)
  await now()
  expect(subscriptions()).toBe(3)
  await persistence.close()
  expect(listener()).toBeUndefined()
})

test('what came before it was listened to anew is asked for: it may be older than what was written meanwhile', async () => {
  const online$ = network(true)
  const { server, persistence, listener } = openLive({ online$ })
  const told: unknown[] = []
  persistence.remote$('note').subscribe(({ data }) => told.push(data?.text))
  await now()
  let answer = () => {}
  server.paged = () => new Promise<void>((done) => (answer = done))
  listener()?.next({ hint: true })
  await now()
  const late = { id: 'n1', data: note('n1', 'theirs'), version: server.put('n1', 'theirs') }
  persistence.created('note', note('n1', 'mine'))
  await now()
  expect(server.text('n1')).toBe('mine')
  listener()?.next(late)
  online$.next(false)
  online$.next(true)
  await now()
  server.paged = () => undefined
  answer()
  await pass(10 * second)
  expect(told).toEqual(['mine'])
})

test('garbage is reported, and asked for', async () => {
  const { server, persistence, listener } = openLive()
  const errors = errorsOf(persistence)
  await now()
  listener()?.next({ id: '' } as never)
  await now()
  expect(errors).toEqual(['TypeError: note (live).id has to be a text that is not empty.'])
  expect(server.pulls).toHaveLength(2)
})

test('of a remote that cannot be asked, what comes while a change is under way is given to the app afterwards', async () => {
  const { server, store, persistence, listener } = openLive({}, new ModelServer(), false)
  await now()
  let answer = () => {}
  server.answering = () => new Promise<void>((done) => (answer = done))
  persistence.created('note', note('n1', 'mine'))
  await now()
  listener()?.next({ id: 'n1', data: note('n1', 'both') })
  await now()
  expect(store.calls).toEqual([])
  answer()
  await now()
  expect(store.notes.get('n1')).toBe('both')
})
