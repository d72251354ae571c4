import type { IncomingChange } from 'rx-outbox'
import type { ModelServer } from './modelServer.ts'
import { open } from './opened.ts'
import { type Note, Remote } from './remote.ts'

/** A store of the app: what `apply` has taken over, and in which calls. */
export function appStore() {
  const notes = new Map<string, string>()
  const calls: string[][] = []
  const store = {
    notes,
    calls,
    /** Before it has taken over anything. */
    before: (): unknown => undefined,
    /** When it has. */
    after: (): unknown => undefined,
    apply: {
      async note(changes: readonly IncomingChange<Note>[]) {
        calls.push(changes.map(({ id }) => id))
        await store.before()
        for (const { id, data } of changes) {
          if (data) notes.set(id, data.text)
          else notes.delete(id)
        }
        await store.after()
      },
    },
  }
  return store
}

export type AppStore = ReturnType<typeof appStore>

/** An outbox of notes of that server, whose rows go to that store. */
export function openSynced(server: ModelServer, store: AppStore, options: Parameters<typeof open>[1] = {}) {
  const strategies = { note: server.strategy(), tag: new Remote() }
  return open(new Remote(), { apply: store.apply, ...options }, strategies)
}

/** What shows on `errors$`. */
export function errorsOf({ errors$ }: ReturnType<typeof open>): string[] {
  const errors: string[] = []
  errors$.subscribe((error) => errors.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error)))
  return errors
}
