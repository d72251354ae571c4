import { usePersistence } from 'rx-outbox/vue'
import { NoteRestApiStrategy } from '../../demo/app/strategies/noteRestApiStrategy.ts'
import { TagRestApiStrategy } from '../../demo/app/strategies/tagRestApiStrategy.ts'

/** Stands in App.vue. */
export function retryByEntityType() {
  usePersistence({
    strategies: {
      note: new NoteRestApiStrategy(),
      tag: new TagRestApiStrategy(),
    },
    options: {
      retryConfig: {
        maxRetries: 3,
        initialDelay: 180000,
        multiplier: 4,
      },
      retryConfigByEntityType: {
        note: { maxRetries: 5, initialDelay: 300000 }, // 5 retries, 5 minutes before the first
        tag: { maxRetries: 2 }, // only 2 retries of tags
      },
    },
  })
}
