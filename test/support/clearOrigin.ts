import { localforageStore, opfsStore, type JournalStore } from 'rx-outbox'

/** Removes what an outbox of that name, of nobody, has left in this origin: its journals and their mirror. */
export async function clearOrigin(name = 'rx-outbox'): Promise<void> {
  const stores: JournalStore[] = [opfsStore(), localforageStore()]
  for (const store of stores) {
    for (const space of [`${name}/`, `/mirror/${name}/`])
      for (const journal of await store.list(space)) await store.remove(space, journal)
    await store.close()
  }
}
