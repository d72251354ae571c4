import { PersistenceError } from '../errors.ts'
import type { Apply } from '../options.ts'
import { type Lane, laneKey } from '../outbox/lane.ts'
import type { Outbox } from '../outbox/outbox.ts'
import { present } from '../outbox/snapshot.ts'
import type { Journal } from '../storage/journal.ts'
import type { Base, Checkpoint, JournalRecord, Metadata } from '../storage/records.ts'
import { decodeValue } from '../storage/value.ts'
import type { IncomingChange } from '../remote.ts'
import { type Place, placeOf } from './placeOf.ts'
import type { Row } from './readRow.ts'

export interface TakingConfig {
  entityType: string
  outbox: Outbox
  journal: Pick<Journal, 'write'>
  apply: Apply | undefined
  /** Types of which it is kept what both sides agreed on last. */
  keepsBase: (entityType: string) => boolean
  now: () => number
  /** Takes in what other tabs have written. */
  lookAround: () => Promise<void>
  /** Lanes that have events which are not stored yet. */
  unstored: () => ReadonlySet<string>
  /** What waits may be able to go: what the remote holds has changed. */
  goOn: () => void
  /** These are the app's now. */
  tell: (rows: readonly Row[]) => void
  /** Throws where this outbox no longer counts. */
  check: () => void
}

export interface Taken {
  /** Ids of rows that have to be asked for again. */
  owed: string[]
  /** Ids of rows that wait, as bases, for the tasks of their entities. */
  waiting: string[]
}

export interface TakeOptions {
  /** Lanes in which something was in flight since the rows may have been read; it grows meanwhile. */
  moved: ReadonlySet<string>
  syncedAt?: number | undefined
  /** What of the journal goes with the rows: asked for when they are the app's. */
  checkpoint?: (owed: readonly string[]) => string | undefined
}

/**
 * Brings rows to where they belong: bases to the journal; others to the app, and once that has them, what is known of
 * them to the journal, in one group with the checkpoint.
 */
export type Take = (rows: readonly Row[], options: TakeOptions) => Promise<Taken>

export function createTaking(config: TakingConfig): Take {
  const { entityType, outbox, journal, apply } = config
  const keyOf = ({ id }: Row) => laneKey(entityType, id)
  const laneOf = (row: Row) => outbox.state.lanes.get(keyOf(row))

  function sorted(rows: readonly Row[], moved: ReadonlySet<string>): { [P in Place]: Row[] } {
    const unstored = config.unstored()
    const places: { [P in Place]: Row[] } = { apply: [], base: [], same: [], owed: [] }
    for (const row of rows) {
      const key = keyOf(row)
      places[placeOf(row, laneOf(row), { isUnstored: unstored.has(key), isMoved: moved.has(key) })].push(row)
    }
    return places
  }

  function baseOf({ id, text, version }: Row): Base {
    const row = present({ version, data: text })
    return { kind: 'base', ...outbox.stamp(), entityType, entityId: id, ...row }
  }

  function metadataOf(row: Row, syncedAt: number): Metadata | undefined {
    const { id: entityId, text, version, backendId } = row
    const { known, base } = laneOf(row) ?? {}
    const record = { kind: 'metadata', ...outbox.stamp(), entityType, entityId } as const
    // One that says nothing ends what was known.
    if (text === undefined) return known || base ? record : undefined
    const data = config.keepsBase(entityType) ? text : undefined
    const said = { backendId: backendId ?? known?.backendId, version, lastSyncAt: syncedAt, data }
    return { ...record, ...present(said) }
  }

  async function write(records: JournalRecord[]): Promise<void> {
    if (records.length === 0) return
    for (const record of records) outbox.commit(record)
    config.goOn()
    await journal.write(records, 'state')
  }

  async function give(rows: readonly Row[]): Promise<void> {
    if (!apply || rows.length === 0) return
    try {
      await apply(Object.freeze(rows.map(changeOf)))
    } catch (cause) {
      const message = `apply of ${entityType} did not take over ${rows.length} changes; they come again.`
      throw new PersistenceError(message, { cause })
    }
  }

  return async (rows, { moved, syncedAt = config.now(), checkpoint }) => {
    await config.lookAround()
    config.check()
    // From here to the call of apply nothing may come between: what the app writes meanwhile is seen afterwards.
    const { apply: free, base, owed } = sorted(rows, moved)
    const basesBefore = new Map(free.map((row) => [row, laneOf(row)?.base]))
    await Promise.all([write(base.map(baseOf)), give(free)])
    config.check()
    // A base that came meanwhile is newer, and goes to the app itself: what that wrote was refused and given up.
    const after = sorted(
      free.filter((row) => laneOf(row)?.base === basesBefore.get(row)),
      moved,
    )
    const again = [...owed, ...after.owed].map(({ id }) => id)
    const known = after.apply.flatMap((row) => metadataOf(row, syncedAt) ?? [])
    const data = checkpoint?.(again)
    const stored: Checkpoint[] = data === undefined ? [] : [{ kind: 'checkpoint', ...outbox.stamp(), entityType, data }]
    await write([...after.base.map(baseOf), ...known, ...stored])
    config.check()
    if (after.apply.length > 0) config.tell(after.apply)
    return { owed: again, waiting: [...base, ...after.base].map(({ id }) => id) }
  }
}

export function changeOf({ id, text, version }: Row): IncomingChange {
  if (text === undefined) return Object.freeze({ id, deleted: true })
  return Object.freeze({ id, data: decodeValue(text), ...present({ version }) })
}

/** The rows that wait in these lanes, and now may go to the app. */
export function rowsOf(lanes: Iterable<Lane>): Row[] {
  return Array.from(lanes, ({ entityId, base }) => ({
    id: entityId,
    text: base?.data,
    version: base?.version,
    backendId: undefined,
  }))
}
