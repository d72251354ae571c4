import { expect, test } from 'vitest'
import { ask } from '../../../lib/resolvers/ask.ts'
import type { JournalStore } from '../../../lib/storage/journalStore.ts'
import { memoryStore } from '../../../lib/storage/memory.ts'
import { type Card, conflictApp, withConflict } from '../../support/conflictApp.ts'
import { fakeChannels } from '../../support/fakeChannels.ts'
import { fakeLocks } from '../../support/fakeLocks.ts'
import { VersionedRemote } from '../../support/versionedRemote.ts'
import { virtualTime } from '../../support/virtualTime.ts'

const first = { id: 'c1', title: 'a', text: 'x' }
const theirs = { ...first, text: 'theirs' }
const mine = { ...first, title: 'mine' }
const both = { ...first, title: 'both' }

/** What one run of the app, or one tab, shares with the next. */
function shared({ storage = memoryStore() } = {}) {
  return { around: { remote: new VersionedRemote<Card>(), time: virtualTime() }, options: { storage } }
}

/** What was asked about once is the app's to answer. */
function unasked(): never {
  throw new Error('asked once more')
}

/** An app with a conflict that was asked about. */
async function asked({ around, options }: ReturnType<typeof shared>, more: Parameters<typeof conflictApp>[1] = {}) {
  const app = conflictApp(ask, { ...options, ...more }, around)
  await withConflict(app, first, theirs)
  const { taskId } = app.persistence.updated('card', mine)
  await app.rest()
  return { app, taskId }
}

test('a parked conflict survives a restart with all three sides: it is shown again, and can be resolved', async () => {
  const life = shared()
  const { app: before, taskId } = await asked(life)
  await life.around.time.until(before.persistence.close())
  const sent = life.around.remote.log.length
  const app = conflictApp(unasked, life.options, life.around)
  await app.rest()
  expect(app.conflicts).toEqual([
    { ...before.conflicts[0], entityType: 'card', id: 'c1', taskId, base: first, local: mine, remote: theirs },
  ])
  expect(life.around.remote.log).toHaveLength(sent)
  expect(await app.persistence.metadata('card', 'c1')).toMatchObject({ syncStatus: 'conflict' })
  await app.resolve(taskId, { merged: both })
  expect(life.around.remote.log.at(-1)).toBe(`update c1 @2 ${JSON.stringify(both)}`)
  expect([app.conflicts, app.errors]).toEqual([[], []])
})

test('a parked conflict of a type without a base survives, too', async () => {
  const life = shared()
  const before = conflictApp(undefined, life.options, life.around)
  await withConflict(before, first, undefined)
  before.persistence.updated('card', mine)
  await before.rest()
  await life.around.time.until(before.persistence.close())
  const app = conflictApp(undefined, life.options, life.around)
  await app.rest()
  expect(app.conflicts).toMatchObject([{ base: undefined, local: mine, remote: undefined }])
  await app.resolve(app.conflicts[0]?.taskId ?? '', 'local')
  expect(life.around.remote.dataOf('c1')).toEqual(mine)
})

test('a parked conflict survives a compaction', async () => {
  const store = memoryStore()
  let compactions = 0
  const replace: JournalStore['replace'] = (...args) => (compactions++, store.replace(...args))
  const life = shared({ storage: { ...store, replace } })
  const { app: before, taskId } = await asked(life)
  for (let round = 0; round < 500; round++) {
    before.persistence.updated('note', { id: 'n1', title: `${round}` })
    await life.around.time.pass(1)
  }
  await before.rest()
  expect(compactions).toBe(1)
  await life.around.time.until(before.persistence.close())
  const app = conflictApp(unasked, life.options, life.around)
  await app.rest()
  expect(app.conflicts).toEqual(before.conflicts)
  await app.resolve(taskId, 'local')
  expect(life.around.remote.log.at(-1)).toBe(`update c1 @2 ${JSON.stringify(mine)}`)
  expect(app.errors).toEqual([])
})

test('what was decided survives a restart before it was sent, with the version it was decided on', async () => {
  const life = shared()
  const { app: before, taskId } = await asked(life)
  life.around.remote.fate = () => 'down'
  await before.resolve(taskId, { merged: both })
  await life.around.time.until(before.persistence.close())
  life.around.remote.fate = () => 'fine'
  const app = conflictApp(ask, life.options, life.around)
  await app.rest()
  expect(life.around.remote.log.at(-1)).toBe(`update c1 @2 ${JSON.stringify(both)}`)
  expect(app.conflicts).toEqual([])
})

test('where the remote changes while a conflict is open, the app is asked about what it holds now', async () => {
  const life = shared()
  const seen: unknown[] = []
  const resolver = (conflict: { remote: unknown }) => (seen.push(conflict.remote), 'ask' as const)
  const app = conflictApp(resolver, life.options, life.around)
  await withConflict(app, first, theirs)
  const { taskId } = app.persistence.updated('card', mine)
  await app.rest()
  life.around.remote.put('c1', { ...first, text: 'theirs again' })
  await app.resolve(taskId, 'local')
  await app.rest()
  expect(app.conflicts).toMatchObject([{ base: theirs, local: mine, remote: { text: 'theirs again' } }])
  expect(seen).toEqual([theirs, { ...first, text: 'theirs again' }])
})

test('a tab that follows shows the conflict and resolves it; what cannot be is refused there, too', async () => {
  const life = shared()
  const tabs = { locks: fakeLocks(), channel: fakeChannels().open }
  const { app: leader, taskId } = await asked(life, tabs)
  const tab = conflictApp(ask, { ...life.options, ...tabs }, life.around)
  await tab.rest()
  expect(tab.conflicts).toEqual(leader.conflicts)
  expect(tab.conflicts).toMatchObject([{ taskId, base: first, local: mine, remote: theirs }])
  const { until } = life.around.time
  await expect(until(tab.persistence.resolve('nobody', 'local'))).rejects.toThrow('There is no task nobody')
  await expect(until(tab.persistence.resolve(taskId, { merged: undefined as never }))).rejects.toThrow(
    'merged is missing',
  )
  await tab.resolve(taskId, { merged: both })
  await tab.rest()
  expect(life.around.remote.log.at(-1)).toBe(`update c1 @2 ${JSON.stringify(both)}`)
  expect([tab.conflicts, leader.conflicts]).toEqual([[], []])
  expect([tab.errors, leader.errors]).toEqual([[], []])
})

test('a tab that follows keeps the conflict when it takes the lead', async () => {
  const life = shared()
  const tabs = { locks: fakeLocks(), channel: fakeChannels().open }
  const { app: leader, taskId } = await asked(life, tabs)
  const tab = conflictApp(ask, { ...life.options, ...tabs }, life.around)
  await tab.rest()
  await life.around.time.until(leader.persistence.close())
  await tab.rest()
  expect(tab.conflicts).toMatchObject([{ taskId, base: first, local: mine, remote: theirs }])
  await tab.resolve(taskId, 'remote')
  expect(tab.conflicts).toEqual([])
  expect(life.around.remote.dataOf('c1')).toEqual(theirs)
})
