// Never run: what stands here is checked by the compiler, which is part of the tests.
import { createPersistence, mergeFields, memoryStore, type EntityEvent, type PersistReceipt } from 'rx-outbox'
import { mergeText } from 'rx-outbox/merge'
import localforage from 'localforage'
import {
  debounceTime,
  filter,
  map,
  type MonoTypeOperatorFunction,
  type Observable,
  of,
  type OperatorFunction,
  pipe,
  timeout,
} from 'rxjs'
import { expectTypeOf } from 'vitest'
import * as z from 'zod/mini'
import { noteStrategy, tagStrategy, type Note } from './entities.ts'

const strategies = { note: noteStrategy, tag: tagStrategy }

createPersistence({
  strategies,
  options: {
    owner: of('ada', null),
    storage: localforage,
    priority: ({ operation }) => (operation === 'delete' ? 1 : 0),
    retryConfig: { maxRetries: Infinity },
    retryConfigByEntityType: { note: { maxRetries: 5, initialDelay: 300_000 }, tag: { maxRetries: 2 } },
    breaker: false,
    schemas: { note: z.object({ id: z.string(), text: z.string() }) },
    idOf: (data, entityType) => `${entityType} ${data.id}`,
  },
})
createPersistence({
  strategies,
  options: {
    schemaVersion: 2,
    migrations: { note: (data, from) => ({ id: String(data), text: `from ${from}` }) },
    encryption: {
      key: async ({ owner, id = owner }) => ({
        id,
        key: await crypto.subtle.importKey('raw', new Uint8Array(32), 'AES-GCM', false, ['encrypt', 'decrypt']),
      }),
    },
  },
})
createPersistence({ strategies, options: { storage: memoryStore() } })
// @ts-expect-error a migration gives what the type is now
createPersistence({ strategies, options: { migrations: { note: () => ({ id: 'n1' }) } } })
createPersistence({ strategies, options: { storage: localforage.createInstance({ name: 'mine' }) } })

// @ts-expect-error no strategy is called that
createPersistence({ strategies, options: { retryConfigByEntityType: { city: { maxRetries: 5 } } } })
// @ts-expect-error there is no such field
createPersistence({ strategies, options: { retryConfig: { maxRetry: 5 } } })
// @ts-expect-error milliseconds are a number
createPersistence({ strategies, options: { attemptTimeout: '30s' } })
// @ts-expect-error there is no such option
createPersistence({ strategies, options: { concurency: 2 } })
createPersistence({
  strategies,
  options: { durability: 'strict', workerUrl: new URL('https://app.example/worker.js') },
})
// @ts-expect-error there is no such durability
createPersistence({ strategies, options: { durability: 'eventual' } })
// @ts-expect-error an owner is text, or nobody
createPersistence({ strategies, options: { owner: of(1) } })

createPersistence({
  strategies,
  options: {
    operators: {
      note: {
        events: (event$) => {
          expectTypeOf(event$).toEqualTypeOf<Observable<EntityEvent<Note>>>()
          return event$.pipe(
            filter(({ data }) => data?.text !== ''),
            debounceTime(300),
          )
        },
        attempt: pipe(timeout(10_000)),
      },
    },
  },
})

const trimmed: MonoTypeOperatorFunction<EntityEvent<Note>> = map((event) =>
  event.data ? { ...event, data: { ...event.data, text: event.data.text.trim() } } : event,
)
createPersistence({ strategies, options: { operators: { note: { events: trimmed } } } })

// @ts-expect-error operators of notes are none of tags
createPersistence({ strategies, options: { operators: { tag: { events: trimmed } } } })
// @ts-expect-error no strategy is called that
createPersistence({ strategies, options: { operators: { city: { events: trimmed } } } })
// @ts-expect-error events stay events
createPersistence({ strategies, options: { operators: { note: { events: map(() => 'text') } } } })
const blurred: OperatorFunction<PersistReceipt<Note> | void, string> = map(() => 'done')
// @ts-expect-error an attempt answers with a receipt
createPersistence({ strategies, options: { operators: { note: { attempt: blurred } } } })
// @ts-expect-error there is no third place
createPersistence({ strategies, options: { operators: { note: { results: trimmed } } } })

createPersistence({
  strategies,
  options: { conflict: { note: mergeFields({ fields: { text: mergeText } }), tag: mergeFields() } },
})
createPersistence<{ note: Note }>({
  strategies: { note: noteStrategy },
  options: { conflict: { note: mergeFields({ fields: { text: ({ local }) => local } }) } },
})
// @ts-expect-error notes have no such field
createPersistence({ strategies, options: { conflict: { note: mergeFields({ fields: { body: mergeText } }) } } })
// @ts-expect-error a field stays of its type
createPersistence({ strategies, options: { conflict: { note: mergeFields({ fields: { text: () => 1 } }) } } })
