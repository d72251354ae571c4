import type { PullPage, PullRequest, RemoteChange } from 'rx-outbox'
import { versionOf } from '../crdt/change.ts'
import { readEntity } from '../crdt/entityDoc.ts'
import type { Documents } from './documents.ts'

/** What a document holds, as the outbox takes it; `undefined` for one in which nothing was written yet. */
export function rowOf<T>(documents: Documents, id: string): RemoteChange<T> | undefined {
  const doc = documents.get(id)
  const state = readEntity(doc)
  if (state.is === 'none') return undefined
  if (state.is === 'deleted') return { id, deleted: true }
  // What peers may write is looked after where it comes in; of its shape the app knows more.
  return { id, data: state.data as T, version: versionOf(doc) }
}

/** What was stored since the checkpoint: that of another device, or of a storage since cleared, is as good as none. */
export function pageOf<T>(documents: Documents, { checkpoint, limit }: PullRequest): PullPage<T> {
  const [device, revision] = typeof checkpoint === 'string' ? checkpoint.split(':') : []
  const since = device === documents.device ? Number(revision) : 0
  const newer = documents
    .ids()
    .map((id) => [documents.revisionOf(id), id] as const)
    .filter(([at]) => at > since)
    .sort(([a], [b]) => a - b)
  const page: PullPage<T> = {
    changed: [],
    deleted: [],
    checkpoint: `${documents.device}:${newer.slice(0, limit).at(-1)?.[0] ?? since}`,
    more: newer.length > limit,
  }
  for (const [, id] of newer.slice(0, limit)) {
    const row = rowOf<T>(documents, id)
    if (row && 'data' in row) page.changed.push(row)
    else if (row && 'deleted' in row) page.deleted.push(id)
  }
  return page
}
