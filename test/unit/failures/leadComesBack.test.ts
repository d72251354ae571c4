import { memoryStore } from 'rx-outbox'
import { firstValueFrom, NEVER, Subject } from 'rxjs'
import { expect, test } from 'vitest'
import { fakeChannels } from '../../support/fakeChannels.ts'
import { fakeLocks } from '../../support/fakeLocks.ts'
import { now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { open } from '../../support/opened.ts'
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
