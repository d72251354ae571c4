import { memoryStore, type TaskResult } from 'rx-outbox'
import { asyncScheduler, firstValueFrom, NEVER, Subject } from 'rxjs'
import { expect, test } from 'vitest'
import { fakeChannels } from '../../support/fakeChannels.ts'
import { fakeLocks } from '../../support/fakeLocks.ts'
import { now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { OutboxLife } from '../../support/outboxLife.ts'
import { note, Remote } from '../../support/remote.ts'
import { encodeRecord } from '../../../lib/storage/codec.ts'
import { encodeGroup } from '../../../lib/storage/frame.ts'
import { createJournal } from '../../../lib/storage/journal.ts'
import { importJournal } from '../../../lib/tabs/importJournal.ts'

useFakeTime()

test('a lead that is lost and comes back while its journal is read sends what waits once', async () => {
  const [storage, locks] = [memoryStore(), fakeLocks()]
  const answers$ = new Subject<void>()
  const answered = firstValueFrom(answers$)
  const { read } = storage
  storage.read = async (space, journal) => {
    await answered
    return read(space, journal)
  }
  const remote = new Remote(() => NEVER)
  open(remote, { storage, locks, channel: fakeChannels().open }).created('note', note('n1'))
  await now()
  await locks.request('rx-outbox:lead:rx-outbox/', { steal: true }, () => Promise.resolve())
  await now()
  answers$.next()
  await pass(1_000)
  expect(remote.log).toEqual(['create n1 text'])
})

test('a leader whose write was answered when it had lost the lead joins nothing any more', async () => {
  const [storage, locks] = [memoryStore(), fakeLocks()]
  const online$ = network(false)
  const persistence = open(new Remote(), { storage, locks, online$, channel: fakeChannels().open })
  const results: TaskResult[] = []
  persistence.results$.subscribe((result) => results.push(result))
  persistence.created('note', note('n1'))
  await pass(1_000)
  const answers$ = new Subject<void>()
  const answered = firstValueFrom(answers$)
  const { append } = storage
  storage.append = async (...group) => {
    await answered
    return append(...group)
  }
  const receipt = persistence.updated('note', note('n1', 'later'))
  await now()
  void locks.request('rx-outbox:lead:rx-outbox/', { steal: true }, () => new Promise<void>(() => undefined)).catch(now)
  await now()
  answers$.next()
  await receipt.durable
  await pass(1_000)
  expect(results).toEqual([])
})

test('what another tab wrote is not taken in by a leader that has lost the lead', async () => {
  const [store, space, ignore] = [memoryStore(), 'rx-outbox/', () => undefined]
  const task = { kind: 'enqueued', lsn: 1, epoch: 0, id: 't1', entityType: 'note', entityId: 'n1' } as const
  const record = { ...task, operation: 'delete', createdAt: 0, schemaVersion: 1, priority: 0 } as const
  await store.append(space, 'follower', encodeGroup([encodeRecord(record)]))
  const own = { name: 'leader', size: 0, stored: ignore, trouble: ignore, rested: ignore }
  const journal = createJournal({ store, space, scheduler: asyncScheduler, ...own })
  const into = { outbox: new OutboxLife().outbox, journal, store, space, execute: now, isTold: () => false }
  await expect(importJournal('follower', { ...into, isOpen: () => false })).rejects.toThrow('Another tab leads')
  expect(await store.read(space, 'leader')).toEqual([])
})
