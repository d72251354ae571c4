import { type Card, session } from './app.ts'
import { createPersistence } from 'rx-outbox'
import { crdtStrategy } from 'rx-outbox/crdt'

export const persistence = createPersistence({
  strategies: {
    card: crdtStrategy<Card>({ collection: 'cards', url: '/crdt', text: ['body'], token: () => session.token() }),
  },
})
