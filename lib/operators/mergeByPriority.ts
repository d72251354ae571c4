import { from, map, merge, type Observable, type ObservableInput } from 'rxjs'

/** A value and how urgent it is: larger goes first. */
export interface Prioritized<T> {
  value: T
  priority: number
}

/**
 * Merges streams and tags each value with the priority of its stream; `concatMapByLane` then decides who goes when a
 * place is free. (`merge(high$, low$).pipe(concatMap(…))` is first in, first out.)
 *
 * @example
 * mergeByPriority([orders$, 10], [drafts$, 0]).pipe(
 *   concatMapByLane(({ value }) => send(value), { laneOf: ({ value }) => value.id, priorityOf: ({ priority }) => priority }),
 * )
 */
export function mergeByPriority<T>(...sources: [ObservableInput<T>, number][]): Observable<Prioritized<T>> {
  return merge(...sources.map(([source, priority]) => tagged(source, priority)))
}

function tagged<T>(source: ObservableInput<T>, priority: number): Observable<Prioritized<T>> {
  return from(source).pipe(map((value) => ({ value, priority })))
}
