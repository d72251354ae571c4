import { createPersistence } from 'rx-outbox'
import { firstValueFrom } from 'rxjs'
import { expect, onTestFinished, test } from 'vitest'
import { note, Remote } from '../support/remote.ts'

const turn = (type: 'pagehide' | 'pageshow') => window.dispatchEvent(new PageTransitionEvent(type, { persisted: true }))

async function held(name: string): Promise<string[]> {
  const { held: locks = [] } = await navigator.locks.query()
  return locks.flatMap((lock) => (lock.name?.includes(name) ? lock.name : []))
}

test('a page in the back/forward cache holds nothing open, and goes on when it is shown again', async () => {
  const name = `cache ${crypto.randomUUID()}`
  const remote = new Remote()
  const persistence = createPersistence({ strategies: { note: remote }, options: { name } })
  onTestFinished(() => persistence.close())
  await persistence.created('note', note('n1')).settled
  expect(await held(name)).not.toEqual([])

  turn('pagehide')
  await expect.poll(() => held(name)).toEqual([])
  const receipt = persistence.created('note', note('n2'))
  expect((await firstValueFrom(persistence.status$)).phase).toBe('opening')

  turn('pageshow')
  await receipt.durable
  expect(await receipt.settled).toMatchObject({ status: 'persisted' })
  expect(remote.log).toEqual(['create n1 text', 'create n2 text'])
})
