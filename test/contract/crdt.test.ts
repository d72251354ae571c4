import { AuthError, ClientError, NetworkError, type Operation, ServerError } from 'rx-outbox'
import { type CrdtConnection, crdtStrategy } from 'rx-outbox/crdt'
import { type RemoteFailure, strategyContract, type StrategyHarness } from 'rx-outbox/testing'
import { describe, expect, it } from 'vitest'
import { readEntity } from '../../strategies/crdt/entityDoc.ts'
import { type Card, Device, memoryStorage } from '../support/crdt/device.ts'
import { memoryServer } from '../support/crdt/memoryServer.ts'

const refusals: Partial<Record<RemoteFailure, () => Error>> = {
  unreachable: () => new NetworkError('unreachable'),
  failing: () => new ServerError('failing'),
  refusing: () => new ClientError('refusing'),
  unauthorized: () => new AuthError('unauthorized'),
}

/** Documents in memory, which tell what happened to each. */
const harness: StrategyHarness<Card> = {
  state: (id, n) => ({ id, title: `Card ${n}`, body: n % 2 === 0 ? 'Milk' : 'Milk and bread' }),
  failures: ['unreachable', 'failing', 'refusing', 'unauthorized', 'answer-lost'],
  features: ['pull', 'changes'],
  open() {
    const server = memoryServer()
    const { connection } = server.line()
    const applied: Operation[] = []
    const last = new Map<string, string>()
    let failure: RemoteFailure | undefined

    const cards = () =>
      [...server.docs].flatMap(([name, doc]) =>
        name.startsWith('cards/') ? [[name.slice(6), readEntity(doc)] as const] : [],
      )

    function look(): void {
      for (const [id, now] of cards()) {
        const known = JSON.stringify(now)
        if (known === last.get(id) || now.is === 'none') continue
        applied.push(now.is === 'deleted' ? 'delete' : last.has(id) ? 'update' : 'create')
        last.set(id, known)
      }
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
    const other = new Device({ connect: () => server.line().connection })
    return {
      connect: () =>
        crdtStrategy<Card>({
          collection: 'cards',
          url: '',
          text: ['body'],
          storage: memoryStorage(),
          connect: () => failing,
        }),
      rows: () =>
        new Map(
          cards().flatMap(([id, now]) => (now.is === 'alive' ? [[id, now.data as unknown as Card] as const] : [])),
        ),
      applied: () => applied,
      failNext: (next) => void (failure = next),
      write: (id, data) => (data ? other.save(data) : other.remove(id)),
      close: () => other.close(),
    }
  },
}

describe('a server of documents', () => {
  it.each(strategyContract('crdtStrategy', harness))('%s', async (_, check) => {
    await expect(check()).resolves.toBeUndefined()
  })
})
