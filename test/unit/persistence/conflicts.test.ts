import { firstValueFrom } from 'rxjs'
import { expect, test } from 'vitest'
import { ask } from '../../../lib/resolvers/ask.ts'
import { localWins } from '../../../lib/resolvers/localWins.ts'
import { mergeFields } from '../../../lib/resolvers/mergeFields.ts'
import { remoteWins } from '../../../lib/resolvers/remoteWins.ts'
import { type Card, conflictApp, withConflict } from '../../support/conflictApp.ts'

const first = { id: 'c1', title: 'a', text: 'x' }

test('the resolver is asked with what both began with, and what either side made of it', async () => {
  const seen: unknown[] = []
  const app = conflictApp((conflict) => (seen.push(conflict), 'local'))
  await withConflict(app, first, { ...first, text: 'theirs' })
  const { taskId } = app.persistence.updated('card', { ...first, title: 'mine' })
  await app.rest()
  expect(seen).toMatchObject([
    {
      entityType: 'card',
      id: 'c1',
      taskId,
      operation: 'update',
      base: first,
      local: { ...first, title: 'mine' },
      remote: { ...first, text: 'theirs' },
    },
  ])
})

test('where the local side wins, a new task with a new key takes the place of the refused one, based on what the remote holds', async () => {
  const app = conflictApp(localWins)
  await withConflict(app, first, { ...first, text: 'theirs' })
  const receipt = app.persistence.updated('card', { ...first, title: 'mine' })
  await app.rest()
  expect(app.remote.log.slice(1)).toEqual([
    'update c1 @1 {"id":"c1","title":"mine","text":"x"}',
    'update c1 @2 {"id":"c1","title":"mine","text":"x"}',
  ])
  const settled = await receipt.settled
  expect(settled).toMatchObject({ status: 'persisted', metadata: { syncStatus: 'synced', version: 3 } })
  expect('taskId' in settled && settled.taskId).not.toBe(receipt.taskId)
  expect(app.results.map(({ status }) => status)).toEqual(['persisted', 'conflict', 'superseded', 'persisted'])
  expect(app.errors).toEqual([])
})

test('where the remote wins, the task ends discarded and nothing is sent again', async () => {
  const app = conflictApp(remoteWins)
  await withConflict(app, first, { ...first, text: 'theirs' })
  const receipt = app.persistence.updated('card', { ...first, title: 'mine' })
  await app.rest()
  expect(await receipt.settled).toMatchObject({ status: 'discarded' })
  expect(app.remote.log).toHaveLength(2)
  expect(app.remote.dataOf('c1')).toEqual({ ...first, text: 'theirs' })
})

test('what is merged goes out in the place of the refused task', async () => {
  const app = conflictApp(mergeFields())
  await withConflict(app, first, { ...first, text: 'theirs' })
  app.persistence.updated('card', { ...first, title: 'mine' })
  await app.rest()
  expect(app.remote.dataOf('c1')).toEqual({ id: 'c1', title: 'mine', text: 'theirs' })
})

test('later changes that were made before the merge was seen keep only what they changed themselves', async () => {
  const app = conflictApp(mergeFields())
  await withConflict(app, first, { ...first, text: 'theirs' })
  let isHeld = true
  app.remote.fate = () => (app.remote.log.length === 2 && isHeld ? 'down' : 'fine')
  app.persistence.updated('card', { ...first, title: 'mine' })
  await app.time.pass(500)
  // The merged task waits, marked; whoever writes now still sees the text as it was.
  app.persistence.updated('card', { ...first, title: 'mine, too' })
  isHeld = false
  await app.rest()
  expect(app.remote.dataOf('c1')).toEqual({ id: 'c1', title: 'mine, too', text: 'theirs' })
  expect(app.errors).toEqual([])
})

test('a change that waits behind a conflict is not lost when the remote wins', async () => {
  const merge = mergeFields<Card>()
  const app = conflictApp((conflict) => (conflict.local?.tags ? merge(conflict) : 'remote'))
  await withConflict(app, first, { ...first, text: 'theirs' })
  app.notes.fate = () => (app.remote.log.length < 2 ? 'down' : 'fine')
  app.persistence.updated('card', { ...first, title: 'one' })
  app.persistence.created('note', { id: 'n1' }, { priority: 1 })
  // It cannot join the other: it has to wait for the note.
  const dependsOn = [{ entityType: 'note', id: 'n1' }]
  app.persistence.updated('card', { ...first, title: 'one', tags: ['new'] }, { dependsOn })
  await app.rest()
  expect(app.results.map(({ status, id }) => `${id} ${status}`)).toContain('c1 discarded')
  expect(app.remote.dataOf('c1')).toEqual({ ...first, text: 'theirs', tags: ['new'] })
})

test('what is changed while a conflict is open joins it, and the newest state is asked about', async () => {
  const app = conflictApp(ask)
  await withConflict(app, first, { ...first, text: 'theirs' })
  app.persistence.updated('card', { ...first, title: 'one' })
  await app.rest()
  const [before] = app.conflicts
  const receipt = app.persistence.updated('card', { ...first, title: 'two' })
  await app.rest()
  expect(app.conflicts).toMatchObject([
    { taskId: receipt.taskId, base: first, local: { title: 'two' }, remote: { text: 'theirs' } },
  ])
  await expect(app.persistence.resolve(before?.taskId ?? '', 'local')).rejects.toThrow('There is no task')
  await app.resolve(receipt.taskId, { merged: { ...first, title: 'both' } })
  expect(app.remote.dataOf('c1')).toEqual({ ...first, title: 'both' })
})

test('while a conflict waits for the app, its entity waits, its neighbours go on, and everything says so', async () => {
  const app = conflictApp(ask)
  const heard: unknown[] = []
  app.persistence.bus.on('entity:conflict', (news) => void heard.push(news))
  await withConflict(app, first, undefined)
  app.persistence.updated('card', { ...first, title: 'mine' })
  app.persistence.created('note', { id: 'n1' }, { priority: -1 })
  app.persistence.created('card', { id: 'c2' }, { priority: -1 })
  await app.rest()
  expect(app.remote.dataOf('c2')).toEqual({ id: 'c2' })
  expect(heard).toMatchObject([
    { entityType: 'card', id: 'c1', base: first, remote: undefined, metadata: { syncStatus: 'conflict' } },
  ])
  expect(app.results.at(1)).toMatchObject({ status: 'conflict', conflict: { id: 'c1' } })
  expect(await firstValueFrom(app.persistence.status$)).toMatchObject({ parked: 1, pending: 0, waiting: 0 })
  expect(await app.persistence.metadata('card', 'c1')).toMatchObject({
    syncStatus: 'conflict',
    error: { category: 'conflict' },
  })
})

test('without the option conflict the app is asked, without a base', async () => {
  const app = conflictApp(undefined)
  await withConflict(app, first, { ...first, text: 'theirs' })
  app.persistence.updated('card', { ...first, title: 'mine' })
  await app.rest()
  expect(app.conflicts).toMatchObject([{ base: undefined, local: { title: 'mine' }, remote: { text: 'theirs' } }])
  await app.resolve(app.conflicts[0]?.taskId ?? '', 'remote')
  expect(app.conflicts).toEqual([])
  expect(app.remote.dataOf('c1')).toEqual({ ...first, text: 'theirs' })
})

test('a local change of what was deleted at the remote is a conflict; where it wins, the entity is made anew', async () => {
  const app = conflictApp(localWins)
  await withConflict(app, first, undefined)
  app.persistence.updated('card', { ...first, title: 'mine' })
  await app.rest()
  expect(app.remote.log.at(-1)).toBe('create c1 @2 {"id":"c1","title":"mine","text":"x"}')
  expect(app.remote.dataOf('c1')).toEqual({ ...first, title: 'mine' })
})

test('where it wins, and somebody made the entity anew meanwhile, only what was changed here is counted as changed', async () => {
  const app = conflictApp(mergeFields())
  await withConflict(app, first, undefined)
  let refused = 0
  app.remote.fate = () => {
    // Between the two answers.
    if (++refused === 2) app.remote.put('c1', { ...first, text: 'theirs, new' })
    return 'fine'
  }
  app.persistence.updated('card', { ...first, title: 'mine' })
  await app.rest()
  expect(app.remote.log.slice(1).map((request) => request.split(' {')[0])).toEqual([
    'update c1 @1',
    'create c1 @2',
    'update c1 @3',
  ])
  expect(app.remote.dataOf('c1')).toEqual({ id: 'c1', title: 'mine', text: 'theirs, new' })
})

test('a local deletion of what was changed at the remote is a conflict', async () => {
  const seen: unknown[] = []
  const app = conflictApp((conflict) => (seen.push(conflict), 'local'))
  await withConflict(app, first, { ...first, text: 'theirs' })
  app.persistence.deleted('card', 'c1')
  await app.rest()
  expect(seen).toMatchObject([{ operation: 'delete', base: first, local: undefined, remote: { text: 'theirs' } }])
  expect(app.remote.dataOf('c1')).toBeUndefined()
})

test('where both sides did the same nobody is asked, and the task is persisted', async () => {
  const app = conflictApp(() => {
    throw new Error('asked for nothing')
  })
  await withConflict(app, first, { text: 'same', title: 'a', id: 'c1' })
  const receipt = app.persistence.updated('card', { ...first, text: 'same' })
  await app.rest()
  expect(await receipt.settled).toMatchObject({ status: 'persisted', sent: true, metadata: { version: 2 } })
  expect(app.errors).toEqual([])
})

test('where the remote only has another version of the same data, the change goes out with that', async () => {
  const app = conflictApp(() => {
    throw new Error('asked for nothing')
  })
  await withConflict(app, first, first)
  app.persistence.updated('card', { ...first, text: 'mine' })
  await app.rest()
  expect(app.remote.log.at(-1)).toBe('update c1 @2 {"id":"c1","title":"a","text":"mine"}')
  expect(app.errors).toEqual([])
})

test('the first conflict is answered at once, those in a row behind it wait like retries, and in the end it is a dead letter', async () => {
  const app = conflictApp(localWins)
  await withConflict(app, first, { ...first, text: 'theirs' })
  let count = 0
  const bump = () => app.remote.put('c1', { ...first, text: `theirs ${++count}` })
  app.remote.fate = () => (bump(), 'fine')
  const start = app.time.now()
  const at: number[] = []
  app.persistence.results$.subscribe(({ status }) => status === 'conflict' && at.push(app.time.now() - start))
  const receipt = app.persistence.updated('card', { ...first, title: 'mine' })
  await app.rest()
  expect(at).toEqual([0, 0, 1_000, 3_000])
  expect(await receipt.settled).toMatchObject({ status: 'failed', error: { category: 'conflict' } })
})

test('a version goes out with changes that wait behind the one just acknowledged', async () => {
  const app = conflictApp(undefined)
  app.persistence.created('card', first)
  await app.rest()
  let next = 0
  app.remote.fate = () => (next++ === 0 ? 'down' : 'fine')
  app.persistence.updated('card', { ...first, title: 'one' })
  await app.time.pass(10)
  app.persistence.updated('card', { ...first, title: 'two' })
  await app.time.pass(10)
  app.persistence.deleted('card', 'c1')
  await app.rest()
  expect(app.remote.log.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
    'create c1 @-',
    'update c1 @1',
    'delete c1 @2',
  ])
})
