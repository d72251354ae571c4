import { createPersistence, memoryStore } from 'rx-outbox'
import { expect, test } from 'vitest'
import { appStore, errorsOf, openSynced } from '../../support/appStore.ts'
import { now, pass, second, useFakeTime } from '../../support/fakeTime.ts'
import { ModelServer } from '../../support/modelServer.ts'
import { mortal } from '../../support/mortalStore.ts'

useFakeTime()

test('what apply did not take over comes again, with growing pauses, and the checkpoint waits', async () => {
  const [server, store] = [new ModelServer(), appStore()]
  server.put('n1', 'a')
  let failures = 2
  store.before = () => {
    if (failures-- > 0) throw new Error('full')
  }
  const persistence = openSynced(server, store, { pull: { interval: false } })
  const errors = errorsOf(persistence)
  await now()
  await pass(5 * second)
  await pass(10 * second)
  expect(store.calls).toEqual([['n1'], ['n1'], ['n1']])
  expect(store.notes.get('n1')).toBe('a')
  expect(server.pulls.map(({ checkpoint }) => checkpoint)).toEqual([undefined, undefined, undefined])
  const said = 'PersistenceError: apply of note did not take over 1 changes; they come again.'
  expect(errors).toEqual([said, said])
  await persistence.pull('note')
  expect(server.pulls.at(-1)?.checkpoint).toBe(1)
})

test('pull() rejects with it', async () => {
  const [server, store] = [new ModelServer(), appStore()]
  server.put('n1', 'a')
  store.before = () => Promise.reject(new Error('full'))
  const persistence = openSynced(server, store, { pull: false })
  await expect(persistence.pull('note')).rejects.toMatchObject({ cause: new Error('full') })
})

test('a process that dies between apply and the checkpoint takes the same rows over again', async () => {
  const [server, store, disk] = [new ModelServer(), appStore(), memoryStore()]
  server.put('n1', 'a')
  const { store: storage, kill } = mortal(disk)
  store.after = kill
  // Nobody closes it: its process is dead.
  createPersistence({ strategies: { note: server.strategy() }, options: { storage, apply: store.apply } })
  await now()
  store.after = () => undefined
  openSynced(server, store, { storage: disk })
  await now()
  expect(store.calls).toEqual([['n1'], ['n1']])
  expect(server.pulls.map(({ checkpoint }) => checkpoint)).toEqual([undefined, undefined])
})
