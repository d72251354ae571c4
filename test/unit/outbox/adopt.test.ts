import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { adopt } from '../../../lib/outbox/adopt.ts'
import type { Lane } from '../../../lib/outbox/lane.ts'
import type { OutboxState } from '../../../lib/outbox/state.ts'
import { folded, history, knows, OutboxLife } from '../../support/outboxLife.ts'

const how = { from: 'former', owner: 'ann', knows }

/** What a state means, without the numbers that are its own journal's. */
function meaning(state: OutboxState) {
  const order = [...state.tasks.values()].toSorted((a, b) => a.place - b.place)
  return {
    tasks: order.map((entry) => ({
      id: entry.id,
      key: entry.key,
      operation: entry.operation,
      data: entry.data,
      priority: entry.priority,
      dependsOn: entry.dependsOn,
      retries: [entry.retryCount, entry.error],
      mark: entry.mark && { ...entry.mark, durable: true },
      inDoubt: entry.inDoubt,
      progress: entry.progress,
      state: entry.state === 'sending' ? 'waiting' : entry.state,
      outcome: entry.outcome,
      overtakenBy: entry.overtakenBy,
      isBlocked: entry.blockedBy !== undefined,
    })),
    known: [...state.lanes.values()].flatMap(({ key, known }: Lane) => (known ? [[key, known]] : [])).toSorted(),
    checkpoints: [...state.checkpoints],
  }
}

async function lived(steps: Parameters<OutboxLife['live']>[0]): Promise<OutboxLife> {
  const life = new OutboxLife()
  await life.live(steps)
  life.giveAllBack()
  return life
}

describe('what is alive in another journal', () => {
  test('means here what it meant there: tasks with their marks, retries, progress and deaths, and what is known', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const { records } = await lived(steps)
        const there = folded(records)
        const here = folded(adopt(records, folded([]), how))
        expect(meaning(here)).toEqual(meaning(there))
      }),
    )
  })

  test('comes behind all that is here, and takes nothing away', async () => {
    await fc.assert(
      fc.asyncProperty(history, history, async (mine, theirs) => {
        const own = (await lived(mine)).records
        const other = (await lived(theirs)).records
        for (const record of other) {
          if (record.kind !== 'enqueued') continue
          record.id = `other ${record.id}`
          if (record.retryOf !== undefined) record.retryOf = `other ${record.retryOf}`
        }
        const before = folded(own)
        const added = adopt(other, before, how)
        const here = folded([...own, ...added])
        const ids = [...here.tasks.values()].map(({ id }) => id)
        expect(ids.toSorted()).toEqual(
          [
            ...[...before.tasks.values()].map(({ id }) => id),
            ...[...folded(other).tasks.values()].map(({ id }) => id),
          ].toSorted(),
        )
        const places = [...here.tasks.values()]
          .toSorted((a, b) => a.place - b.place)
          .map(({ id }) => id.startsWith('other'))
        expect(places).toEqual(places.toSorted())
        expect(meaning(here).known).toEqual(expect.arrayContaining(meaning(before).known))
      }),
    )
  })

  test('is taken once: not again after it was imported, nor while it is here', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const { records } = await lived(steps)
        const first = adopt(records, folded([]), how)
        expect(adopt(records, folded(first), how)).toEqual([])
        const again = adopt(records, folded(first), { ...how, from: 'by another name' })
        expect(again.filter(({ kind }) => kind === 'enqueued')).toEqual([])
      }),
    )
  })

  test('is not revived once it has ended here', async () => {
    const life = await lived([
      {
        does: 'add',
        ref: { entityType: 'note', id: '1' },
        operation: 'create',
        priority: 0,
        dependsOn: [],
        merge: false,
        expires: false,
        schemaVersion: 1,
      },
    ])
    const taken = adopt(life.records, folded([]), how)
    const task = taken.find(({ kind }) => kind === 'enqueued')?.lsn ?? 0
    const { lsn, epoch } = folded(taken)
    const ended = { kind: 'ended', lsn: lsn + 1, epoch, task, outcome: 'persisted', at: 1 } as const
    expect(adopt(life.records, folded([...taken, ended]), how)).toEqual([])
  })

  test('may have been sent, where the other journal lags', async () => {
    const life = await lived([
      {
        does: 'add',
        ref: { entityType: 'note', id: '1' },
        operation: 'create',
        priority: 0,
        dependsOn: [],
        merge: false,
        expires: false,
        schemaVersion: 1,
      },
    ])
    const state = folded(adopt(life.records, folded([]), { ...how, doubtSince: 5 }))
    expect([...state.tasks.values()].map(({ inDoubt }) => inDoubt)).toEqual([true])
    expect(state.doubt?.since).toBe(5)
  })
})
