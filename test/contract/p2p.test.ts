import type { Operation, PersistenceStrategy } from 'rx-outbox'
import { from, lastValueFrom, map, type ObservableInput } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { strategyContract } from '../../lib/testing/strategyContract.ts'
import type { RemoteFailure, StrategyFeature, StrategyHarness } from '../../lib/testing/strategyHarness.ts'
import { decodeMessage } from '../../strategies/p2p/message.ts'
import type { PeerTransport } from '../../strategies/p2p/transport.ts'
import { type Device, deviceIn, type Note } from '../support/p2p/device.ts'
import { mapStorage } from '../support/p2p/mapStorage.ts'
import { peerNetwork } from '../support/p2p/peerNetwork.ts'
import { soon } from '../support/p2p/soon.ts'

/** The remote is another device: what a write did is what that device has heard and stored. */
const harness = (features: StrategyFeature[], failures: RemoteFailure[]): StrategyHarness<Note> => ({
  state: (id, n) => ({ id, title: `Note ${n}`, done: n % 2 === 1 }),
  failures,
  features,
  open() {
    const network = peerNetwork()
    const storage = mapStorage()
    let device: Device | undefined
    let opened = 0
    let failure: string | undefined
    /** Loses a confirmation, and the link with it. */
    const forgetful: PeerTransport = (report) =>
      network
        .transport('friend')(report)
        .pipe(
          map((link) => ({
            ...link,
            send(message) {
              const isLost = failure === 'answer-lost' && decodeMessage(message).is === 'ack'
              if (isLost) network.cut('friend', link.peer)
              else link.send(message)
            },
          })),
        )
    const friend = deviceIn({ ...network, transport: () => forgetful }, 'friend', { acks: 0 })

    return {
      connect(): PersistenceStrategy<Note> {
        opened += 1
        const name = `run ${opened}`
        device?.leave()
        const run = deviceIn(network, name, { patience: 200, storage })
        device = run
        /** Once the friend is there, if it may be; what failed works the next time. */
        const whole =
          <A extends unknown[], R>(persist: (...args: A) => ObservableInput<R>) =>
          async (...args: A): Promise<R> => {
            try {
              if (failure === 'unreachable') network.cut('friend', name)
              else await soon(() => expect(run.devices()).toBeGreaterThan(0))
              return await lastValueFrom(from(persist(...args)))
            } finally {
              failure = undefined
              network.heal('friend', name)
            }
          }
        return {
          persistCreate: whole(run.strategy.persistCreate),
          persistUpdate: whole(run.strategy.persistUpdate),
          persistDelete: whole(run.strategy.persistDelete),
          changes$: run.strategy.changes$,
          ...(features.includes('pull') && { pull: run.strategy.pull }),
        }
      },
      rows: async () => new Map(Object.entries(await friend.notes())),
      applied() {
        const alive = new Set<string>()
        return friend.changes.flatMap((change): Operation[] => {
          if (!('id' in change)) return []
          if ('deleted' in change) return alive.delete(change.id) ? ['delete'] : []
          if (alive.has(change.id)) return ['update']
          alive.add(change.id)
          return ['create']
        })
      },
      failNext(next) {
        failure = next
      },
      async write(id, data) {
        const isThere = id in (await friend.notes())
        await friend.write(data ? (isThere ? 'update' : 'create') : 'delete', data ?? { id })
        await soon(async () => expect(await device?.notes()).toEqual(await friend.notes()))
      },
      listening: () => soon(() => expect([friend.devices(), device?.devices()]).toEqual([1, 1])),
      close() {
        friend.leave()
        device?.leave()
      },
    }
  },
})

// What is pulled is on the device: no failure of the way to others touches it.
const harnesses = [
  ['writing', harness(['changes'], ['unreachable', 'answer-lost'])],
  ['pulling', harness(['changes', 'pull'], [])],
] as const

describe.each(harnesses)('%s', (_, one) => {
  it.each(strategyContract('p2pStrategy', one))('%s', async (_says, check) => {
    await expect(check()).resolves.toBeUndefined()
  })
})
