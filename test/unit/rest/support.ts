import { setupServer } from 'msw/node'
import type { AttemptContext, PersistableEntity } from 'rx-outbox'
import { from, lastValueFrom, type ObservableInput } from 'rxjs'
import { afterAll, afterEach, beforeAll } from 'vitest'

export interface Note {
  id: string
  title: string
}

export const notesUrl = 'http://api.test/notes'
export const noteUrl = `${notesUrl}/n1`

export const note: Note = { id: 'n1', title: 'Milk' }

export function entity<T>(data: T, id = 'n1'): PersistableEntity<T> {
  return { id, entityType: 'note', data, metadata: { syncStatus: 'syncing', retryCount: 0, maxRetries: 3 } }
}

export function attemptWith(parts: Partial<AttemptContext> = {}): AttemptContext {
  return {
    taskId: 't1',
    idempotencyKey: 'k1',
    attempt: 1,
    owner: 'ada',
    schemaVersion: 1,
    signal: new AbortController().signal,
    backendIdOf: () => undefined,
    progress: undefined,
    saveProgress: () => Promise.resolve(),
    ...parts,
  }
}

/** What a strategy gave, as a promise. */
export const outcome = <R>(given: ObservableInput<R>): Promise<R> => lastValueFrom(from(given))

/** What a strategy threw; fails when it gave something. */
export function thrown(given: ObservableInput<unknown>): Promise<unknown> {
  return outcome(given).then(
    (value) => {
      throw new Error(`expected an error, got ${JSON.stringify(value)}`)
    },
    (reason: unknown) => reason,
  )
}

/** A remote for the file that calls this; a request that no handler expects fails. */
export function mockedRemote() {
  const remote = setupServer()
  beforeAll(() => remote.listen({ onUnhandledRequest: 'error' }))
  afterEach(() => remote.resetHandlers())
  afterAll(() => remote.close())
  return remote
}
