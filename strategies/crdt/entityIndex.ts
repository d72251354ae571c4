import type * as Y from 'yjs'

/**
 * The index of a collection: a list in which each device writes which entity it has changed, so that others know what
 * to look at. Older entries of the same entity are removed, those that come at the same moment stay beside each other.
 */
interface Entry {
  id: string
  author: string
  /** Counted by the author: none of its entries comes before one with a lower count. */
  count: number
}

/** How far the entries of each author have been seen. */
export type Seen = Readonly<Record<string, number>>

export function entriesOf(index: Y.Doc): Entry[] {
  return index
    .getArray('changes')
    .toArray()
    .flatMap((entry) => {
      const [id, author, count] = Array.isArray(entry) ? (entry as unknown[]) : []
      if (typeof id !== 'string' || typeof author !== 'string' || author === '__proto__') return []
      return typeof count === 'number' && Number.isSafeInteger(count) ? [{ id, author, count }] : []
    })
}

export function announce(index: Y.Doc, { id, author, count }: Entry): void {
  const changes = index.getArray('changes')
  index.transact(() => {
    const entries = changes.toArray()
    for (let at = entries.length - 1; at >= 0; at -= 1) {
      const entry = entries[at]
      if (Array.isArray(entry) && entry[0] === id) changes.delete(at, 1)
    }
    changes.push([[id, author, count]])
  })
}

/** Up to `limit` entities of which there are entries not seen yet, and what is seen after them. */
export function unseen(index: Y.Doc, seen: Seen, limit = Infinity): { ids: string[]; seen: Seen; more: boolean } {
  const entries = entriesOf(index)
  const news = entries
    .filter(({ author, count }) => count > (seen[author] ?? 0))
    .sort((a, b) => (a.author === b.author ? a.count - b.count : a.author < b.author ? -1 : 1))
  const page = news.slice(0, limit)
  // Of authors without an entry nothing old can come any more.
  const known = new Map(entries.map(({ author }) => [author, seen[author] ?? 0]))
  for (const { author, count } of page) known.set(author, count)
  return {
    ids: [...new Set(page.map(({ id }) => id))],
    seen: Object.fromEntries([...known].filter(([, count]) => count > 0)),
    more: news.length > page.length,
  }
}

/** A checkpoint is taken as it was given; whatever else comes means the beginning. */
export function isSeen(checkpoint: unknown): checkpoint is Seen {
  if (typeof checkpoint !== 'object' || checkpoint === null || Array.isArray(checkpoint)) return false
  return Object.values(checkpoint).every((count) => typeof count === 'number')
}
