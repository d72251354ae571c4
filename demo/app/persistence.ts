import { createEventBus } from 'rx-outbox'
import { online$ } from './connection.ts'
import type { Entities } from './entities.ts'
import { NoteRestApiStrategy } from './strategies/noteRestApiStrategy.ts'
import { TagRestApiStrategy } from './strategies/tagRestApiStrategy.ts'

/** The app's own bus: stores emit on it, the outbox answers on it. */
export const eventBus = createEventBus<Entities>()

/** Short delays, so that a retry can be watched; the library's own are minutes. */
export const retryConfig = { maxRetries: 5, initialDelay: 2_000, multiplier: 2, maxDelay: 30_000 }

/** What App.vue gives to `usePersistence()`. */
export const persistenceSetup = {
  strategies: { note: new NoteRestApiStrategy(), tag: new TagRestApiStrategy() },
  options: {
    name: 'demo',
    bus: eventBus,
    concurrency: 2,
    retryConfig,
    breaker: { failures: 5, delay: 2_000, maxDelay: 15_000 },
    online$,
  },
}
