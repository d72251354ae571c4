import { password, type Tag } from './app.ts'
import { createPersistence } from 'rx-outbox'
import { all, fallback } from 'rx-outbox/hybrid'
import { p2pStrategy, webSocketSignalling } from 'rx-outbox/p2p'
import { restStrategy } from 'rx-outbox/rest'

const near = restStrategy<Tag>({ url: 'https://near.example/tags' })
const far = restStrategy<Tag>({ url: 'https://far.example/tags' })
const peers = p2pStrategy<Tag>({ room: 'tags', password, signalling: webSocketSignalling('/signal') })

createPersistence({
  strategies: { tag: all({ cloud: fallback({ near, far }, { oneBackend: true }), peers }) },
})
