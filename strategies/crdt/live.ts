import type { RemoteChange } from 'rx-outbox'
import { filter, from, map, merge, mergeMap, type Observable, of, tap } from 'rxjs'
import { type Seen, unseen } from './entityIndex.ts'
import type { Replicas } from './replicas.ts'

export interface LiveContext<T> {
  replicas: Replicas
  /** The index's document. */
  collection: string
  /** The entity of another document. */
  idOf: (name: string) => string
  /** The entities that were written here. */
  written$: Observable<string>
  /** What an entity is now; `undefined` when that was told already, unless it is `again`. */
  news: (id: string, again: boolean) => Promise<RemoteChange<T> | undefined>
  /** Documents looked at in one go. */
  atOnce: number
}

/** What others do, as long as somebody listens; `hint` after each break, because nobody knows what was missed. */
export function live<T>({ replicas, collection, idOf, written$: written, news, atOnce }: LiveContext<T>) {
  let seen: Seen | undefined
  const look = (id: string, again = false): Promise<RemoteChange<T> | undefined> =>
    // Whatever is in the way: a pull meets it too, and says so.
    news(id, again).catch(() => ({ hint: true }))

  const hints$ = replicas.index$.pipe(
    tap((index) => {
      seen = unseen(index, {}).seen
    }),
    map(() => ({ hint: true as const })),
  )
  const named$ = replicas.updated$.pipe(
    mergeMap(({ name, doc }) => {
      if (name !== collection) return of({ id: idOf(name) })
      // What comes before the first hint is meant by it.
      if (!seen) return []
      const rung = unseen(doc, seen)
      seen = rung.seen
      // Who was told before that and pulled has not got it: until now no pull had it.
      return from(rung.ids.map((id) => ({ id, again: true })))
    }),
  )
  const written$ = written.pipe(map((id) => ({ id })))
  const changes$ = merge(named$, written$).pipe(
    mergeMap(({ id, again }: { id: string; again?: boolean }) => look(id, again), atOnce),
  )
  return merge(hints$, changes$).pipe(filter((change) => change !== undefined))
}
