import { memoryStore } from 'rx-outbox'
import { expect, test } from 'vitest'
import { encodeRecord } from '../../../lib/storage/codec.ts'
import { encodeGroup } from '../../../lib/storage/frame.ts'
import { hour, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

useFakeTime()

/** A journal with a create of n1 whose data this version cannot read. */
async function poisoned(data: string) {
  const storage = memoryStore()
  const task = { id: 'task-1', entityType: 'note', entityId: 'n1', createdAt: 0, schemaVersion: 1, priority: 9 }
  const record = encodeRecord({ kind: 'enqueued', lsn: 1, epoch: 1, operation: 'create', ...task, data })
  await storage.append('rx-outbox/', 'leader', encodeGroup([record]))
  return storage
}

test.each(['{"id":"n1","at":{"$":["Temporal",7]}}', '{"id":'])(
  'a task whose data cannot be read (%s) holds up its own entity only, and ends as a dead letter',
  async (data) => {
    const remote = new Remote()
    const persistence = open(remote, { storage: await poisoned(data) })
    const results: string[] = []
    persistence.results$.subscribe(({ id, status }) => results.push(`${id} ${status}`))
    persistence.queue$.subscribe()
    persistence.dead$.subscribe()
    persistence.created('note', note('n2'))
    await now()
    expect(remote.log).toEqual(['create n2 text'])
    await pass(24 * hour)
    expect(results).toContain('n1 failed')
    expect(await persistence.metadata('note', 'n1')).toMatchObject({ syncStatus: 'error' })
    persistence.created('note', note('n3'))
    await now()
    expect(remote.log).toEqual(['create n2 text', 'create n3 text'])
  },
)
