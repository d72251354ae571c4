import type { PersistenceStrategy } from 'rx-outbox'
import { expect, test } from 'vitest'
import { appStore, openSynced } from '../../support/appStore.ts'
import { now, pass, second, useFakeTime } from '../../support/fakeTime.ts'
import { ModelServer } from '../../support/modelServer.ts'
import { type Note, note } from '../../support/remote.ts'

useFakeTime()

/** Merges what is written with what it has, so that nothing becomes of an edit that changes nothing. */
class MergingServer extends ModelServer {
  answer = () => {}

  override strategy(): PersistenceStrategy<Note> {
    const write = async (version: number) => {
      await new Promise<void>((done) => (this.answer = done))
      return { version }
    }
    return { ...super.strategy(), merges: true, persistUpdate: () => write(1) }
  }

  /** As it is, behind the checkpoints that were given. */
  listAgain(id: string, revision: number): void {
    const row = this.rows.get(id)
    if (row) this.rows.set(id, { ...row, revision })
  }
}

test('a row that waited for a change is the app’s when that was sent, though it came again meanwhile', async () => {
  const [server, store] = [new MergingServer(), appStore()]
  server.put('n1', 'old')
  const persistence = openSynced(server, store, { pull: { interval: false } })
  await now()
  await persistence.pause()
  persistence.updated('note', note('n1', 'old'))
  await now()
  server.put('n1', 'theirs')
  await persistence.pull('note')
  await persistence.resume()
  await now()
  server.listAgain('n1', 3)
  await persistence.pull('note')
  expect(store.notes.get('n1')).toBe('old')
  server.answer()
  await now()
  await pass(5 * second)
  expect(store.notes.get('n1')).toBe('theirs')
})
