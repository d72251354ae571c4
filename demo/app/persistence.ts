import { createEventBus, mergeFields } from 'rx-outbox'
import { mergeText } from 'rx-outbox/merge'
import { caches } from './cache.ts'
import { online$ } from './connection.ts'
import { isServerless, keptAs } from './device.ts'
import type { Card, Entities, Note, Tag } from './entities.ts'
import { mergeTagIds } from './mergeTagIds.ts'

/** The app's own bus: stores emit on it, the outbox answers on it. */
export const eventBus = createEventBus<Entities>()

/** Short delays, so that a retry can be watched; the library's own are minutes. */
export const retryConfig = {
  maxRetries: isServerless ? Infinity : 5,
  initialDelay: 2_000,
  multiplier: 2,
  maxDelay: 30_000,
}

/** Each way brings libraries of its own: only those of the chosen one are loaded. */
const strategies = isServerless
  ? (await import('./strategies/overPeers.ts')).overPeers
  : (await import('./strategies/overServer.ts')).overServer

/** What App.vue gives to `usePersistence()`. */
export const persistenceSetup = {
  strategies,
  options: {
    name: keptAs('demo'),
    bus: eventBus,
    concurrency: 2,
    retryConfig,
    breaker: { failures: 5, delay: 2_000, maxDelay: 15_000 },
    online$,
    apply: { note: caches.note.apply, tag: caches.tag.apply, card: caches.card.apply },
    conflict: {
      // Who changed different fields agrees; where both wrote into the same one, the user is asked.
      note: mergeFields<Note>({
        fields: { tagIds: mergeTagIds, updatedAt: ({ local = 0, remote = 0 }) => Math.max(local, remote) },
        otherwise: 'ask',
      }),
      tag: mergeFields<Tag>(),
      card: mergeFields<Card>({ fields: { title: mergeText, text: mergeText } }),
    },
  },
}
