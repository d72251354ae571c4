import type { Row } from '../api.ts'

/**
 * Brings a store's entities in line with the rows that the server decides on. What is unsent here stays as it is: the
 * server does not know of it yet. Gives back what changed, for the cache.
 */
export function takeOver<T extends { id: string }>(
  local: Map<string, T>,
  rows: readonly Row<T>[],
  unsent: ReadonlySet<string>,
) {
  const listed = new Set(rows.map(({ id }) => id))
  const removed = [...local.keys()].filter((id) => !listed.has(id) && !unsent.has(id))
  const changed = rows.flatMap(({ data }) => (isSame(local.get(data.id), data) ? [] : [data]))
  for (const id of removed) local.delete(id)
  for (const entity of changed) local.set(entity.id, entity)
  return { changed, removed }
}

/** Good enough: where only the order of keys differs, a row is taken over once more. */
function isSame<T extends object>(known: T | undefined, row: T): boolean {
  return JSON.stringify(known) === JSON.stringify(row)
}
