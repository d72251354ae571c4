import { memoryStore } from 'rx-outbox'
import { expect, test } from 'vitest'
import { appStore, openSynced } from '../../support/appStore.ts'
import { fakeChannels } from '../../support/fakeChannels.ts'
import { fakeLocks } from '../../support/fakeLocks.ts'
import { now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { ModelServer } from '../../support/modelServer.ts'
import { note } from '../../support/remote.ts'

useFakeTime()

async function twoTabs(server: ModelServer, channels = fakeChannels()) {
  const shared = {
    storage: memoryStore(),
    locks: fakeLocks(),
    channel: channels.open,
    pull: { interval: false } as const,
  }
  const stores = [appStore(), appStore()] as const
  const first = openSynced(server, stores[0], shared)
  await now()
  const second = openSynced(server, stores[1], shared)
  await now()
  return { first, second, stores }
}

test('only the leader pulls and applies; the others hear of it', async () => {
  const server = new ModelServer()
  const { second, stores } = await twoTabs(server)
  const told: unknown[] = []
  second.remote$('note').subscribe(({ id, data }) => told.push([id, data?.text]))
  server.put('n1', 'a')
  const pulling = second.pull('note')
  await pass(200)
  await pulling
  expect([stores[0].calls, stores[1].calls]).toEqual([[['n1']], []])
  expect(told).toEqual([['n1', 'a']])
  expect(await second.metadata('note', 'n1')).toMatchObject({ version: 1, syncStatus: 'synced' })
})

test('a follower learns why its pull failed; one that takes its time holds up no task of it', async () => {
  const server = new ModelServer()
  const { second } = await twoTabs(server)
  let fail = () => {}
  server.pulling = () => new Promise((_, reject) => (fail = () => reject(new Error('nobody there'))))
  const pulling = second.pull('note')
  await pass(200)
  second.created('note', note('n1', 'mine'))
  await pass(200)
  expect(server.text('n1')).toBe('mine')
  fail()
  await expect(pulling).rejects.toThrow('nobody there')
})

test('what a follower has just written is not overwritten', async () => {
  const server = new ModelServer()
  const { first, second, stores } = await twoTabs(server)
  server.put('n1', 'theirs')
  server.applying = () => new Promise(() => {})
  server.paged = () => void second.created('note', note('n1', 'mine'))
  void first.pull('note')
  await pass(200)
  expect(stores[0].calls).toEqual([])
})

test('what a follower has stored counts, also where nobody has heard that it is there', async () => {
  const server = new ModelServer()
  const channels = fakeChannels()
  channels.isLossy = true
  const { first, second, stores } = await twoTabs(server, channels)
  await second.created('note', note('n1', 'mine')).durable
  server.put('n1', 'theirs')
  server.applying = () => new Promise(() => {})
  void first.pull('note')
  await pass(200)
  expect(stores[0].calls).toEqual([])
})

test('the next leader goes on where the last one was', async () => {
  const server = new ModelServer()
  server.put('n1', 'a')
  const { first, stores } = await twoTabs(server)
  server.put('n2', 'b')
  await first.close()
  await pass(200)
  expect([stores[0].calls, stores[1].calls]).toEqual([[['n1']], [['n2']]])
})
