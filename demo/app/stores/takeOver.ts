/**
 * Brings a store's entities in line with the server's rows. What is unsent here stays as it is: the server does not
 * know of it yet. Gives back what changed, for the cache.
 */
export function takeOver<T extends { id: string }>(
  local: Map<string, T>,
  rows: readonly T[],
  unsent: ReadonlySet<string>,
) {
  const listed = new Set(rows.map(({ id }) => id))
  const removed = [...local.keys()].filter((id) => !listed.has(id) && !unsent.has(id))
  const changed = rows.filter((row) => !unsent.has(row.id) && !isSame(local.get(row.id), row))
  for (const id of removed) local.delete(id)
  for (const row of changed) local.set(row.id, row)
  return { changed, removed }
}

/** Good enough: where only the order of keys differs, a row is taken over once more. */
function isSame<T extends object>(known: T | undefined, row: T): boolean {
  return JSON.stringify(known) === JSON.stringify(row)
}
