import type { Page } from 'playwright-core'
import type { Applied } from '../support/realServer.ts'

/**
 * What somebody writes on an ordinary day: the same for each chapter, on notes of its own. `a` notes are on the server
 * before, `b` and `c` notes are new.
 */
const chapters = Array.from({ length: 4 }, (_, n) => `${n}`)

/** Notes that the server knows before the network goes. Resolves when it knows them. */
export async function writeBefore(page: Page): Promise<void> {
  await page.evaluate(async (all) => {
    const { outbox, drained } = window.bare
    for (const n of all)
      for (const id of ['a1', 'a2', 'a3', 'a4', 'a5', 'a6']) outbox.created('note', { id: `${id}-${n}`, text: 'old' })
    await drained()
  }, chapters)
}

/** Resolves when all of it is durable. */
export async function writeFirstHalf(page: Page): Promise<void> {
  await page.evaluate(async (all) => {
    const { bus, idle } = window.bare.outbox
    for (const n of all) {
      const create = (id: string) =>
        bus.emit('entity:created', { entityType: 'note', data: { id: `${id}-${n}`, text: 'new' } })
      const update = (id: string, text: string) =>
        bus.emit('entity:updated', { entityType: 'note', data: { id: `${id}-${n}`, text } })
      const remove = (id: string) => bus.emit('entity:deleted', { entityType: 'note', id: `${id}-${n}` })
      for (const id of ['b1', 'b2', 'b3', 'b4', 'b5']) create(id)
      update('b1', 'edited')
      remove('b3')
      update('a1', 'edited')
      update('a1', 'edited twice')
      remove('a2')
      update('a3', 'in vain')
      remove('a3')
      remove('a6')
      create('a6')
    }
    await idle()
  }, chapters)
}

/** The rest of the day, after a reload. Resolves when all of it is durable. */
export async function writeSecondHalf(page: Page): Promise<void> {
  await page.evaluate(async (all) => {
    const { created, updated, deleted } = window.bare.outbox
    const receipts = all.flatMap((n) => [
      updated('note', { id: `b4-${n}`, text: 'edited after the reload' }),
      deleted('note', `b5-${n}`),
      updated('note', { id: `a4-${n}`, text: 'edited after the reload' }),
      deleted('note', `a5-${n}`),
      updated('note', { id: `a1-${n}`, text: 'edited three times' }),
      created('note', { id: `c1-${n}`, text: 'new' }),
      updated('note', { id: `a6-${n}`, text: 'edited after the reload' }),
    ])
    await Promise.all(receipts.map(({ durable }) => durable))
  }, chapters)
}

/** What the server holds in the end. */
export function endState(): Record<string, string> {
  return ofEachChapter({
    a1: 'edited three times',
    a4: 'edited after the reload',
    a6: 'edited after the reload',
    b1: 'edited',
    b2: 'new',
    b4: 'edited after the reload',
    c1: 'new',
  })
}

/**
 * The writes of the server's journal, in order, for each note. Changes that waited are one write; what was created and deleted
 * meanwhile is none; a note that was deleted and made anew is two.
 */
export function endHistory(): Record<string, string[]> {
  return ofEachChapter({
    a1: ['create 1', 'update 2'],
    a2: ['create 1', 'delete 2'],
    a3: ['create 1', 'delete 2'],
    a4: ['create 1', 'update 2'],
    a5: ['create 1', 'delete 2'],
    a6: ['create 1', 'delete 2', 'create 3'],
    b1: ['create 1'],
    b2: ['create 1'],
    b4: ['create 1'],
    c1: ['create 1'],
  })
}

/** What `endHistory` looks like when it happened. */
export function historyOf(applied: readonly Applied[]): Record<string, string[]> {
  const histories: Record<string, string[]> = {}
  for (const { entityId, operation, version } of applied) (histories[entityId] ??= []).push(`${operation} ${version}`)
  return histories
}

function ofEachChapter<T>(ofOne: Record<string, T>): Record<string, T> {
  return Object.fromEntries(chapters.flatMap((n) => Object.entries(ofOne).map(([id, value]) => [`${id}-${n}`, value])))
}
