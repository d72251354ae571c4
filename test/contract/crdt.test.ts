import { AuthError, ClientError, NetworkError, type Operation, ServerError } from 'rx-outbox'
import { type CrdtConnection, crdtStrategy } from 'rx-outbox/crdt'
import { type RemoteFailure, strategyContract, type StrategyUnderTest } from 'rx-outbox/testing'
import { describe, expect, it } from 'vitest'
import { readEntity } from '../../strategies/crdt/entityDoc.ts'
import { type Card, memoryStorage } from '../support/crdt/device.ts'
import { memoryServer } from '../support/crdt/memoryServer.ts'

const states = [
  { id: 'contract-1', body: 'Milk' },
  { id: 'contract-1', body: 'Milk and bread' },
] as const

const refusals: Partial<Record<RemoteFailure, () => Error>> = {
  unreachable: () => new NetworkError('unreachable'),
  failing: () => new ServerError('failing'),
  refusing: () => new ClientError('refusing'),
  unauthorized: () => new AuthError('unauthorized'),
}

/** Documents in memory, which tell what happened to the card of the contract. */
function setup(): StrategyUnderTest<Card> {
  const server = memoryServer()
  const { connection } = server.line()
  const applied: Operation[] = []
  let last = ''
  let failure: RemoteFailure | undefined

  const look = () => {
    const doc = server.docs.get('cards/contract-1')
    if (!doc) return
    const now = readEntity(doc)
    const known = JSON.stringify(now)
    if (known === last || now.is === 'none') return
    applied.push(now.is === 'deleted' ? 'delete' : last === '' ? 'create' : 'update')
    last = known
  }

  const failing: CrdtConnection = {
    close: () => {},
    attach: (name, doc) => {
      const attachment = connection.attach(name, doc)
      let asked = 0
      return {
        ...attachment,
        settled: async () => {
          asked += 1
          if (failure === 'silent') return new Promise(() => {})
          const refusal = failure && refusals[failure]
          if (refusal) {
            failure = undefined
            throw refusal()
          }
          await attachment.settled()
          look()
          if (failure === 'answer-lost' && asked > 1) {
            failure = undefined
            throw new NetworkError('The answer was lost')
          }
        },
      }
    },
  }
  return {
    strategy: crdtStrategy<Card>({
      collection: 'cards',
      url: '',
      text: ['body'],
      storage: memoryStorage(),
      connect: () => failing,
    }),
    states,
    applied: () => applied,
    failNext: (next) => {
      failure = next
    },
  }
}

describe('a server of documents', () => {
  it.each(strategyContract<Card>('crdtStrategy', setup))('%s', async (_, check) => {
    await expect(check()).resolves.toBeUndefined()
  })
})
