import * as z from 'zod'
import { expect, test } from 'vitest'
import type { ConflictResolver } from '../../../lib/conflict.ts'
import { type Card, conflictApp, withConflict } from '../../support/conflictApp.ts'

const first = { id: 'c1', title: 'a', text: 'x' }
const theirs = { ...first, text: 'theirs' }

const never = () => new Promise<never>(() => undefined)
const wrong: [string, (...args: unknown[]) => unknown, string][] = [
  [
    'throws',
    () => {
      throw new Error('no idea')
    },
    'no idea',
  ],
  [
    'rejects',
    async () => {
      throw new Error('no idea')
    },
    'no idea',
  ],
  ['never answers', never, 'did not answer in time'],
  ['answers nothing', () => undefined, 'local, remote, { merged } or ask'],
  ['answers null', () => null, 'could not be resolved'],
  ['answers another word', () => 'mine', 'local, remote, { merged } or ask'],
  ['merges to nothing', () => ({ merged: undefined }), 'merged is missing'],
  ['merges to what cannot be stored', () => ({ merged: { id: 'c1', title: () => 'a' } }), 'card.title'],
  ['merges to what the schema refuses', () => ({ merged: { id: 'c1', title: 1 } }), 'card.title'],
]

test.each(wrong)('a resolver that %s is told, and the app is asked', async (_, resolver, message) => {
  const schemas = { card: z.object({ id: z.string(), title: z.string() }) }
  const app = conflictApp(resolver as ConflictResolver<Card>, { schemas })
  await withConflict(app, first, theirs)
  const receipt = app.persistence.updated('card', { ...first, title: 'mine' })
  await app.rest()
  expect(app.errors.map(String)).toEqual([expect.stringContaining(message)])
  expect(app.conflicts).toMatchObject([
    { taskId: receipt.taskId, base: first, local: { title: 'mine' }, remote: theirs },
  ])
  await app.resolve(receipt.taskId, 'local')
  expect(await receipt.settled).toMatchObject({ status: 'persisted' })
})

test('what a person merged wrongly is refused, and the conflict stays open', async () => {
  const app = conflictApp(() => 'ask', { schemas: { card: z.object({ id: z.string(), title: z.string() }) } })
  await withConflict(app, first, theirs)
  const { taskId } = app.persistence.updated('card', { ...first, title: 'mine' })
  await app.rest()
  await expect(app.persistence.resolve(taskId, { merged: { id: 'c1' } })).rejects.toThrow('card.title')
  await expect(app.persistence.resolve(taskId, 'mine' as 'local')).rejects.toThrow('local, remote or { merged: data }')
  await expect(app.persistence.resolve('nobody', 'local')).rejects.toThrow('There is no task nobody')
  expect(app.conflicts).toHaveLength(1)
})

test('a task that is in no conflict cannot be resolved', async () => {
  const app = conflictApp(() => 'ask')
  await app.time.until(app.persistence.pause())
  const { taskId } = app.persistence.created('card', first)
  await app.rest()
  await expect(app.persistence.resolve(taskId, 'local')).rejects.toThrow(`Task ${taskId} is in no conflict`)
})

test('a resolver that answers when its task was discarded changes nothing', async () => {
  let answer: (said: 'local') => void = () => undefined
  const app = conflictApp(() => new Promise<'local'>((resolve) => (answer = resolve)))
  await withConflict(app, first, theirs)
  const receipt = app.persistence.updated('card', { ...first, title: 'mine' })
  await app.time.pass(100)
  await app.time.until(app.persistence.discard(receipt.taskId))
  answer('local')
  await app.rest()
  expect(await receipt.settled).toMatchObject({ status: 'discarded' })
  expect(app.remote.dataOf('c1')).toEqual(theirs)
  app.persistence.updated('card', { ...theirs, title: 'again' })
  await app.time.pass(100)
  answer('local')
  await app.rest()
  expect(app.remote.dataOf('c1')).toEqual({ ...theirs, title: 'again' })
})

test('idle() waits for a resolver', async () => {
  let answer: (said: 'local') => void = () => undefined
  const app = conflictApp(() => new Promise<'local'>((resolve) => (answer = resolve)))
  await withConflict(app, first, theirs)
  app.persistence.updated('card', { ...first, title: 'mine' })
  await app.time.pass(100)
  let isIdle = false
  const idle = app.persistence.idle().then(() => (isIdle = true))
  await app.time.pass(100)
  expect(isIdle).toBe(false)
  answer('local')
  await app.time.until(idle)
  expect(app.remote.dataOf('c1')).toEqual({ ...first, title: 'mine' })
})
