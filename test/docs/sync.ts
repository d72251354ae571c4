import { createPersistence } from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'
import { notesDb, type Note } from './notesDb.ts' // a database of yours: IndexedDB, SQLite

createPersistence<{ note: Note }>({
  strategies: { note: restStrategy<Note>({ url: '/api/notes', live: true }) },
  options: {
    apply: {
      async note(changes) {
        await notesDb.transaction(async (tx) => {
          for (const change of changes) await (change.deleted ? tx.delete(change.id) : tx.put(change.data))
        })
      },
    },
  },
})
