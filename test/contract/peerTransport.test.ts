import { expect, test } from 'vitest'
import { peerNetwork } from '../support/p2p/peerNetwork.ts'
import { peerTransportContract } from '../support/p2p/peerTransportContract.ts'
import { type Member, roomMember } from '../support/p2p/roomMember.ts'

test.each(peerTransportContract)('in the room in memory $name', async ({ check }) => {
  const network = peerNetwork()
  let count = 0
  await check(async () => {
    const { links, trouble, send, close, leave } = roomMember(network.transport(`peer ${++count}`))
    return {
      links: async () => links(),
      trouble: async () => trouble(),
      send: async (...args) => send(...args),
      close: async (...args) => close(...args),
      leave: async () => leave(),
    } satisfies Member
  })
  expect(count).toBeGreaterThan(1)
})
