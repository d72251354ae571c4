import { type JournalStore, memoryStore } from 'rx-outbox'
import { expect, test } from 'vitest'
import { adoptFormer, type AdoptFormerConfig } from '../../../lib/tabs/adoptFormer.ts'
import { readJournal } from '../../../lib/storage/readJournal.ts'
import { fakeLocks } from '../../support/fakeLocks.ts'
import { minute, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

useFakeTime()

const space = 'rx-outbox/'

/** What an earlier run left: a leader that was offline, and a tab beside it. */
async function left() {
  const storage = memoryStore()
  const locks = fakeLocks()
  const online$ = network(false)
  const leader = open(new Remote(), { storage, locks, online$ })
  leader.created('note', note('n1', 'a'))
  leader.updated('tag', note('t1', 'a'))
  await now()
  const follower = open(new Remote(), { storage, locks, online$ })
  await now()
  follower.created('note', note('n2', 'a'))
  await now()
  return { storage, locks }
}

function configOf(store: JournalStore, changes: Partial<AdoptFormerConfig> = {}) {
  const errors: unknown[] = []
  const config: AdoptFormerConfig = {
    store,
    space,
    owner: '',
    journal: 'leader',
    knows: () => true,
    createId: () => 'new',
    locks: null,
    lockOf: (journal) => `rx-outbox:journal:${journal}:${space}`,
    trouble: (error) => errors.push(error),
    ...changes,
  }
  return { config, errors }
}

const copyOf = async (store: JournalStore) => {
  const copy = memoryStore()
  for (const name of await store.list(space))
    for (const group of await store.read(space, name)) await copy.append(space, name, group)
  return copy
}

test('journals of an earlier run are taken over, in order, and removed where they were', async () => {
  const { storage } = await left()
  const former = await copyOf(storage)
  const store = memoryStore()
  const { config, errors } = configOf(store)
  const records = await adoptFormer(former, config, [])
  expect((await readJournal(store, space, 'leader')).records).toEqual(records)
  expect(records[0]).toMatchObject({ kind: 'opened', id: 'new' })
  expect([await former.list(space), errors]).toEqual([[], []])
  const remote = new Remote()
  open(remote, { storage: store })
  await now()
  expect(remote.log).toEqual(['create n1 a', 'update t1 a', 'create n2 a'])
})

test('a tab that still writes there keeps its journal until it is gone', async () => {
  const { storage, locks } = await left()
  const former = await copyOf(storage)
  const store = memoryStore()
  const { config } = configOf(store, { locks })
  const others = (await former.list(space)).filter((name) => name !== 'leader')
  const records = await adoptFormer(former, config, [])
  expect(records.filter(({ kind }) => kind === 'enqueued')).toHaveLength(2)
  expect(others).toHaveLength(1)
  expect(await former.list(space)).toEqual(others)
})

test('where they could not be removed, nothing is taken twice', async () => {
  const { storage } = await left()
  const former = await copyOf(storage)
  former.remove = () => Promise.reject(new Error('busy'))
  const store = memoryStore()
  const { config, errors } = configOf(store)
  const once = await adoptFormer(former, config, [])
  const leaders = once.filter(({ kind }) => kind === 'enqueued')
  const twice = await adoptFormer(former, config, once)
  expect(leaders).toHaveLength(2)
  expect(twice.filter(({ kind }) => kind === 'enqueued')).toHaveLength(2)
  expect(errors.map(String)).toEqual([
    expect.stringMatching(/could not be taken over/),
    expect.stringMatching(/could not be taken over/),
  ])
})

test('a store that cannot be read is told, and keeps nobody from opening', async () => {
  const { config, errors } = configOf(memoryStore())
  const former = { ...memoryStore(), list: () => Promise.reject(new Error('blocked')) }
  expect(await adoptFormer(former, config, [])).toEqual([])
  expect(errors).toHaveLength(1)
  await pass(minute)
})
