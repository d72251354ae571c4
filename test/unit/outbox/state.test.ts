import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { snapshot } from '../../../lib/outbox/snapshot.ts'
import { decodeRecord, encodeRecord } from '../../../lib/storage/codec.ts'
import type { JournalRecord } from '../../../lib/storage/records.ts'
import { folded, history, OutboxLife, plain } from '../../support/outboxLife.ts'

/** As a journal gives them back. */
function stored(records: Iterable<JournalRecord>): JournalRecord[] {
  return Array.from(records, (record) => {
    const decoded = decodeRecord(encodeRecord(record))
    if (!decoded) throw new RangeError(`Nothing is left of ${record.kind}.`)
    return decoded
  })
}

describe('a journal', () => {
  test('replayed means what was lived', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const life = new OutboxLife()
        await life.live(steps.filter(({ does }) => does !== 'flush'))
        life.giveAllBack()
        expect(plain(folded(stored(life.records)))).toEqual(plain(life.state))
        expect(life.errors).toEqual([])
      }),
      { numRuns: 150 },
    )
  })

  test('written anew means the same', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const life = new OutboxLife()
        await life.live(steps)
        life.giveAllBack()
        expect(plain(folded(stored(snapshot(life.state, 'ann'))))).toEqual(plain(life.state))
      }),
      { numRuns: 150 },
    )
  })

  test('written anew between a mark and its request it leaves the doubt, though an earlier attempt was refused', async () => {
    const life = new OutboxLife()
    const ref = { entityType: 'note', id: '1' }
    const add = { does: 'add', ref, operation: 'create', priority: 0, merge: false, expires: false } as const
    await life.live([
      { ...add, dependsOn: [], schemaVersion: 2 },
      { does: 'begin' },
      { does: 'later', pick: 1 },
      { does: 'wake' },
      { does: 'mark', pick: 0 },
    ])
    const [entry] = life.state.tasks.values()
    // Whoever marks it knows that it has not gone yet.
    Object.assign(entry ?? {}, { inDoubt: false })
    const [found] = folded(stored(snapshot(life.state, 'ann'))).tasks.values()
    expect(found).toMatchObject({ retryCount: 1, inDoubt: true })
  })
})
