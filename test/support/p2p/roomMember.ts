import { crc32 } from '../../../lib/storage/crc32.ts'
import type { PeerLink, PeerTransport } from '../../../strategies/p2p/transport.ts'

/** A message as it is told out of a page. */
export interface Told {
  length: number
  crc: number
}

export const told = (message: Uint8Array): Told => ({ length: message.length, crc: crc32(message) })

/** A message that can be made anew from two numbers. */
export const messageOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 7 + seed) % 256)

/** One who is in a room, and writes down what happens there. */
export function roomMember(transport: PeerTransport) {
  const links: { link: PeerLink; heard: Told[]; isOver: boolean }[] = []
  const trouble: string[] = []
  const being = transport(({ what }) => trouble.push(what)).subscribe((link) => {
    const one = { link, heard: [] as Told[], isOver: false }
    links.push(one)
    link.messages$.subscribe({ next: (message) => one.heard.push(told(message)), complete: () => (one.isOver = true) })
  })
  return {
    /** Each link there was, in order. */
    links: () => links.map(({ link: { peer }, heard, isOver }) => ({ peer, heard, isOver })),
    /** What was told to `report`. */
    trouble: () => trouble,
    send: (at: number, length: number, seed: number) => links[at]?.link.send(messageOf(length, seed)),
    close: (at: number) => links[at]?.link.close(),
    leave: () => being.unsubscribe(),
  }
}

type Local = ReturnType<typeof roomMember>

/** The same, wherever it is: in this process or in a page. */
export type Member = {
  [K in keyof Local]: (...args: Parameters<Local[K]>) => Promise<Awaited<ReturnType<Local[K]>>>
}
