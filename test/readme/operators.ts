import { createPersistence } from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'
import { filter, pipe, tap } from 'rxjs'

type Note = { id: string; title: string }
type Tag = { id: string; name: string }

export const persistence = createPersistence({
  strategies: { note: restStrategy<Note>({ url: '/api/notes' }), tag: restStrategy<Tag>({ url: '/api/tags' }) },
  options: {
    operators: {
      note: {
        events: filter(({ operation, data }) => operation === 'delete' || data?.title !== ''), // before they become tasks
        attempt: pipe(tap({ error: (error) => console.warn(error) })), // around each call of the strategy
      },
    },
    retryConfig: { initialDelay: 60_000 }, // the rest stays: 3 retries, × 4, at most an hour
    retryConfigByEntityType: { tag: { maxRetries: 10 } }, // merged field by field over it
    quiet: 300, // ms a note has to be left alone before it is sent: a debounce that is durable at once
  },
})
