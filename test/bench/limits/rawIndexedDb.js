import { done, rawQueue } from './idb.js'

/** Burst: one transaction, a put each. One by one: a transaction each, awaited. */
export default rawQueue('IndexedDB', async (items, write) => {
  const store = write()
  for (const item of items) store.add(item)
  await done(store.transaction)
})
