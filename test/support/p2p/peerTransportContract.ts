import { expect } from 'vitest'
import { type Member, messageOf, told } from './roomMember.ts'

/** Enters the same room, as another device each time. */
export type Enter = () => Promise<Member>

const patience = { timeout: 20_000 }

async function together(...members: Member[]): Promise<void> {
  for (const member of members)
    await expect
      .poll(async () => (await member.links()).filter(({ isOver }) => !isOver).length, patience)
      .toBe(members.length - 1)
}

async function entered(enter: Enter, count: number): Promise<Member[]> {
  const members = await Promise.all(Array.from({ length: count }, enter))
  await together(...members)
  return members
}

/** What the strategy relies on, over WebRTC and in the room in memory that its unit tests use. */
export const peerTransportContract: { name: string; check: (enter: Enter) => Promise<void> }[] = [
  {
    name: 'all in a room get one link to each other, under different names',
    async check(enter) {
      const members = await entered(enter, 3)
      for (const member of members) {
        const peers = (await member.links()).map(({ peer }) => peer)
        expect(new Set(peers).size).toBe(2)
        expect(await member.trouble()).toEqual([])
      }
    },
  },
  {
    name: 'messages arrive whole, in order, and at nobody else',
    async check(enter) {
      const [a, b, c] = await entered(enter, 3)
      const messages = Array.from({ length: 50 }, (_, at) => [at * 211, at] as const)
      for (const message of messages) await a?.send(0, ...message)
      const heard = async () =>
        Promise.all([b, c].map(async (one) => (await one?.links())?.flatMap(({ heard: own }) => own) ?? []))
      const sent = messages.map((message) => told(messageOf(...message)))
      await expect.poll(async () => (await heard()).map(({ length }) => length).toSorted(), patience).toEqual([0, 50])
      expect((await heard()).find(({ length }) => length > 0)).toEqual(sent)
    },
  },
  {
    name: 'a message of a megabyte arrives byte by byte, and one behind it after it',
    async check(enter) {
      const [a, b] = await entered(enter, 2)
      await a?.send(0, 1_400_000, 3)
      await a?.send(0, 5, 4)
      await expect.poll(async () => (await b?.links())?.[0]?.heard.length, patience).toBe(2)
      expect((await b?.links())?.[0]?.heard).toEqual([messageOf(1_400_000, 3), messageOf(5, 4)].map(told))
    },
  },
  {
    name: 'who leaves is gone for the others, and what is sent there harms nobody',
    async check(enter) {
      const [a, b] = await entered(enter, 2)
      await b?.leave()
      await expect.poll(async () => (await a?.links())?.[0]?.isOver, patience).toBe(true)
      await a?.send(0, 10, 1)
      expect((await b?.links())?.[0]?.heard).toEqual([])
    },
  },
  {
    name: 'who closes a link is gone for the other, too',
    async check(enter) {
      const [a, b] = await entered(enter, 2)
      await a?.close(0)
      for (const one of [a, b]) await expect.poll(async () => (await one?.links())?.[0]?.isOver, patience).toBe(true)
    },
  },
  {
    name: 'who comes later gets links to all that are there',
    async check(enter) {
      const [a, b] = await entered(enter, 2)
      await b?.leave()
      await expect.poll(async () => (await a?.links())?.[0]?.isOver, patience).toBe(true)
      const c = await enter()
      await expect.poll(async () => (await c.links()).length, patience).toBe(1)
      await expect.poll(async () => (await a?.links())?.length, patience).toBe(2)
      await a?.send(1, 10, 1)
      await expect.poll(async () => (await c.links())[0]?.heard, patience).toEqual([told(messageOf(10, 1))])
    },
  },
]
