import { ServerError } from '../errors.ts'
import { encodeValue } from '../storage/value.ts'
import { type ReadRow, readId, type Row } from './readRow.ts'

/** A page as far as it can be believed. */
export interface Page {
  rows: Row[]
  /** What is no row, and what is wrong with it. */
  refused: { name: string; error: unknown }[]
  /** As text. */
  checkpoint: string
  more: boolean
  syncedAt: number | undefined
}

/** Rows that are too many for a page, even where fewer were asked for. */
const most = 10_000

/**
 * Reads what a strategy gave as a page. A row that is none leaves the others alone.
 *
 * @throws ServerError for what is no page, has too many rows, or says of an id that it changed and was deleted
 */
export function readPage(given: unknown, entityType: string, limit: number, read: ReadRow): Page {
  const name = `The page of ${entityType}`
  if (typeof given !== 'object' || given === null) throw new ServerError(`${name} has to be an object.`)
  const field = (key: string): unknown => Reflect.get(given, key)
  const changed = list(field('changed'), `${name}: changed`)
  const deleted = list(field('deleted'), `${name}: deleted`)
  const [more, syncedAt, checkpoint] = [field('more'), field('syncedAt'), field('checkpoint')]
  if (typeof more !== 'boolean') throw new ServerError(`${name}: more has to be true or false.`)
  if (checkpoint === undefined) throw new ServerError(`${name}: checkpoint is missing.`)
  const size = changed.length + deleted.length
  if (size > Math.max(limit, most)) throw new ServerError(`${name} has ${size} rows; ${limit} were asked for.`)

  const rows = new Map<string, Row>()
  const refused: Page['refused'] = []
  function take(rowName: string, make: () => Row): void {
    try {
      const row = make()
      const known = rows.get(row.id)
      if (known && (known.text === undefined) !== (row.text === undefined))
        throw new ServerError(`${name} says of ${row.id} that it changed and that it was deleted.`)
      rows.set(row.id, row)
    } catch (error) {
      if (error instanceof ServerError) throw error
      refused.push({ name: rowName, error })
    }
  }
  for (const [i, row] of changed.entries()) take(`changed ${i}`, () => read(row, `${entityType}.changed[${i}]`))
  for (const [i, id] of deleted.entries())
    take(`deleted ${i}`, () => tombstone(readId(id, `${entityType}.deleted[${i}]`)))
  return {
    rows: [...rows.values()],
    refused,
    checkpoint: encodeValue(checkpoint, `${entityType}.checkpoint`),
    more,
    syncedAt: typeof syncedAt === 'number' && Number.isFinite(syncedAt) ? syncedAt : undefined,
  }
}

export function tombstone(id: string): Row {
  return { id, text: undefined, version: undefined, backendId: undefined }
}

function list(given: unknown, name: string): unknown[] {
  if (Array.isArray(given)) return given
  throw new ServerError(`${name} has to be a list.`)
}
