import { memoryStore, type TaskResult } from 'rx-outbox'
import { firstValueFrom, NEVER, Subject } from 'rxjs'
import { expect, test } from 'vitest'
import { fakeChannels } from '../../support/fakeChannels.ts'
import { fakeLocks } from '../../support/fakeLocks.ts'
import { now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

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
