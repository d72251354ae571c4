import { createPersistence, memoryStore } from 'rx-outbox'
import { crdtStrategy } from 'rx-outbox/crdt'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Card, memoryStorage } from '../../support/crdt/device.ts'
import { memoryServer } from '../../support/crdt/memoryServer.ts'

test('a page that is neither https nor localhost has fewer of the browser at hand, and delivers', async () => {
  const getRandomValues = crypto.getRandomValues.bind(crypto)
  vi.stubGlobal('crypto', { getRandomValues })
  onTestFinished(() => void vi.unstubAllGlobals())

  const server = memoryServer()
  const { connection } = server.line()
  const card = crdtStrategy<Card>({ collection: 'cards', url: '', storage: memoryStorage(), connect: () => connection })
  const persistence = createPersistence({ strategies: { card }, options: { storage: memoryStore() } })
  onTestFinished(() => persistence.close())

  const { settled } = persistence.created('card', { id: 'c1', title: 'Milk' })
  expect(await settled).toMatchObject({ status: 'persisted' })
  expect([...server.docs.keys()]).toEqual(expect.arrayContaining(['cards', 'cards/c1']))
})
