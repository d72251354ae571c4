import type { RemoteChange } from 'rx-outbox'
import { filter, map, merge, mergeMap, type Observable, of, tap } from 'rxjs'
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
  /** What an entity is now, or `undefined` when the app has been given that already; not with `again`. */
  news: (id: string, again: boolean) => Promise<RemoteChange<T> | undefined>
  /** Documents looked at in one go. */
  atOnce: number
}

/** What others do, as long as somebody listens; `hint` after each break, because nobody knows what was missed. */
export function live<T>({ replicas, collection, idOf, written$, news, atOnce }: LiveContext<T>) {
  let seen: Seen | undefined
  const look = ({ id, isRung }: { id: string; isRung: boolean }): Promise<RemoteChange<T> | undefined> =>
    // Whatever is in the way: a pull meets it too, and says so.
    news(id, isRung).catch(() => ({ hint: true }))

  const hints$ = replicas.index$.pipe(
    tap((index) => {
      seen = unseen(index, {}).seen
    }),
    map(() => ({ hint: true as const })),
  )
  const named$ = replicas.updated$.pipe(
    mergeMap(({ name, doc }) => {
      if (name !== collection) return of({ id: idOf(name), isRung: false })
      // What comes before the first hint is meant by it.
      if (!seen) return []
      const rung = unseen(doc, seen)
      seen = rung.seen
      // Said again: who took the first news for a hint to pull may have pulled before the index named the entity.
      return rung.ids.map((id) => ({ id, isRung: true }))
    }),
  )
  const ours$ = written$.pipe(map((id) => ({ id, isRung: false })))
  const changes$ = merge(named$, ours$).pipe(mergeMap(look, atOnce))
  return merge(hints$, changes$).pipe(filter((change) => change !== undefined))
}
