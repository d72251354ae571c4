// Thin helpers over raw IndexedDB, for the limits.

/** @returns {Promise<IDBDatabase>} */
export function openDb(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => request.result.createObjectStore('queue', { autoIncrement: true })
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

export function done(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = transaction.onerror = () => reject(transaction.error)
  })
}

export function answered(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

const write = (db) => db.transaction('queue', 'readwrite').objectStore('queue')

/** A queue in IndexedDB, without anything that makes it an outbox. */
export function rawQueue(name, enqueue) {
  let db
  let queue
  return {
    name,
    open: async (place) => void (db = await openDb(place)),
    enqueue: (items) => enqueue(items, () => write(db)),
    async enqueueOne(item) {
      const store = write(db)
      store.add(item)
      await done(store.transaction)
    },
    close: async () => db.close(),
    async reopen(place) {
      db = await openDb(place)
      queue = await answered(db.transaction('queue').objectStore('queue').getAll())
      return queue.length
    },
    async drain(sink, concurrency) {
      await pool(queue, concurrency, sink)
      const store = write(db)
      for (const key of await answered(store.getAllKeys())) store.delete(key)
      await done(store.transaction)
    },
  }
}

export async function pool(items, concurrency, work) {
  const waiting = items.values()
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const item of waiting) await work(item)
    }),
  )
}
