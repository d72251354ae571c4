import type { PullPage, PullRequest, RemoteChange } from 'rx-outbox'
import { versionOf } from '../crdt/change.ts'
import { readEntity } from '../crdt/entityDoc.ts'
import { type Documents, inOrder, type Stamp } from './documents.ts'

/** What a document holds, as the outbox takes it; `undefined` for one in which nothing was written yet. */
export function rowOf<T>(documents: Documents, id: string): RemoteChange<T> | undefined {
  const doc = documents.get(id)
  const state = readEntity(doc)
  if (state.is === 'none') return undefined
  if (state.is === 'deleted') return { id, deleted: true }
  // What peers may write is looked after where it comes in; of its shape the app knows more.
  return { id, data: state.data as T, version: versionOf(doc) }
}

/** How far the rows of a device were given, by one of the runs that have its documents. */
interface Position {
  device: string
  run: string
  era: number
  place: number
  /** Of a run that has not given all yet that it read at its start: where it began, and how far it came. */
  since?: Position | null
  upTo?: Omit<Stamp, 'place'>
}

/** What was stored since the checkpoint: that of another device, or of a storage since cleared, is as good as none. */
export function pageOf<T>(documents: Documents, { checkpoint, limit }: PullRequest): PullPage<T> {
  const { device, run, era, settled } = documents
  const last = isPosition(checkpoint) && checkpoint.device === device ? checkpoint : undefined
  const here = { device, run, era }
  const seen: Position = last?.run === run ? last : { ...here, place: 0, since: last ?? null }
  const newer = documents
    .ids()
    .flatMap((id) => {
      const stamp = documents.stampOf(id)
      return stamp && stamp.place > seen.place && isNews(stamp, seen.since) ? [[stamp.place, id] as const] : []
    })
    .sort(([a], [b]) => a - b)
  const settling = newer.filter(([place]) => place > settled)
  const sure = newer.slice(0, newer.length - settling.length)
  const more = sure.length > limit
  const given = more ? sure.slice(0, limit) : newer
  const latest = documents.stampOf(given.at(-1)?.[1] ?? '')
  // What overtook something that is still being stored is given again.
  const page: PullPage<T> = {
    changed: [],
    deleted: [],
    checkpoint: { ...here, ...(more && latest ? upTo(latest, seen) : { place: settled }) },
    more,
  }
  for (const [, id] of given) {
    const row = rowOf<T>(documents, id)
    if (row && 'data' in row) page.changed.push(row)
    else if (row && 'deleted' in row) page.deleted.push(id)
  }
  return page
}

function upTo({ place, ...stamp }: Stamp, { run, since }: Position): Partial<Position> {
  return since === undefined || stamp.run === run ? { place } : { place, since, upTo: stamp }
}

/** Not given by that run, or before it: stored by itself later, or by others since it began. */
function isNews(stamp: Omit<Stamp, 'place'>, position: Position | null | undefined): boolean {
  if (!position) return true
  const { run, era, place, since, upTo: last } = position
  if (stamp.run === run) return stamp.revision > place
  if (stamp.era >= era) return true
  return last !== undefined && inOrder(stamp, last) > 0 && isNews(stamp, since)
}

function isPosition(value: unknown): value is Position {
  if (typeof value !== 'object' || value === null) return false
  const { device, run, era, place } = { device: '', run: '', era: 0, place: 0, ...value }
  return [device, run].every((one) => typeof one === 'string') && [era, place].every(Number.isFinite)
}
