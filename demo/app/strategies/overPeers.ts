import localforage from 'localforage'
import { broadcastChannelSignalling, p2pStrategy, webSocketSignalling } from 'rx-outbox/p2p'
import { keptAs } from '../device.ts'
import type { Card, Note, Tag } from '../entities.ts'
import { everySignalling } from './everySignalling.ts'

const shared = {
  password: 'a demo has no secrets',
  // Devices of this browser need nobody; others meet at the relay, and go on without it.
  signalling: everySignalling(broadcastChannelSignalling('demo-signalling'), webSocketSignalling('/signal')),
  storage: localforage.createInstance({ name: keptAs('demo'), storeName: 'documents' }),
  /** Milliseconds: whoever is alone sees soon that nobody is there. */
  patience: 3_000,
}

/** Without a server: what is written counts as saved once another device has it. */
export const overPeers = {
  note: p2pStrategy<Note>({ ...shared, room: 'demo/notes', text: ['title', 'body'] }),
  tag: p2pStrategy<Tag>({ ...shared, room: 'demo/tags' }),
  card: p2pStrategy<Card>({ ...shared, room: 'demo/cards', text: ['title', 'text'] }),
}
