import type { JournalStore } from '../../lib/storage/journalStore.ts'

/** A view of a store for one process: once that is killed, its calls neither do anything nor return. */
export function mortal(store: JournalStore): { store: JournalStore; kill: () => void } {
  let alive = true
  const whileAlive =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      alive ? call(...args) : new Promise(() => undefined)
  return {
    store: {
      ...store,
      list: whileAlive(store.list),
      read: whileAlive(store.read),
      append: whileAlive(store.append),
      replace: whileAlive(store.replace),
      remove: whileAlive(store.remove),
      close: whileAlive(store.close),
    },
    kill: () => (alive = false),
  }
}
