import { type Draft, joined, type List, type Note, strategies, type Tag } from './app.ts'
import { createPersistence, lastWriteWins, mergeFields, remoteWins } from 'rx-outbox'
import { mergeText } from 'rx-outbox/merge'

createPersistence<{ note: Note; tag: Tag; draft: Draft; list: List }>({
  strategies,
  options: {
    conflict: {
      note: mergeFields({ fields: { text: mergeText }, otherwise: 'ask' }),
      tag: remoteWins,
      draft: lastWriteWins({ at: 'updatedAt' }),
      list: ({ local, remote }) => (local && remote ? { merged: joined(local, remote) } : 'ask'),
    },
  },
})
