import { decodeRecord, encodeRecord } from './codec.ts'
import type { Opened } from './records.ts'

/** Where the mirror of a space is kept: no outbox has a name that is empty, so nobody else writes there. */
export const mirrorSpace = (space: string): string => `/mirror/${space}`

/** The journal that says how far the mirror is, without reading it all. */
export const headJournal = 'head'

/** Ends a round: what the mirror holds from here on, all of it of one moment. */
export interface MirrorHead {
  /** The journal in the mirror's space in which it stands. */
  log: string
  /** The leader's journal that is mirrored. */
  journal: string
  /** How far that journal was: everything up to `opened.lsn` is in the mirror. */
  opened: Opened
  /** Epoch ms of that moment. */
  at: number
  /** Lanes written to the log since it began. */
  size: number
}

/**
 * The lines of a mirror beside those of records. A round begins with one of `began`, says of each lane that changed what it
 * is now (`lane`, then its records), and ends with `head`. A round without its end never was.
 */
export type MirrorLine =
  | { is: 'began'; whole: boolean }
  | { is: 'lane'; entityType: string; entityId: string }
  | { is: 'head'; head: MirrorHead }

/** Capital letters: no record begins with one. */
export const beganLine = (whole: boolean): string => (whole ? 'W' : 'B')

export const laneLine = (entityType: string, entityId: string): string => `L${JSON.stringify([entityType, entityId])}`

export const headLine = ({ opened, ...head }: MirrorHead): string =>
  `H${JSON.stringify({ ...head, opened: encodeRecord(opened) })}`

/** `undefined` for a record's line, and for one that is nothing. Never throws. */
export function mirrorLine(line: string): MirrorLine | undefined {
  if (line === 'W' || line === 'B') return { is: 'began', whole: line === 'W' }
  if (line[0] !== 'L' && line[0] !== 'H') return undefined
  let value: unknown
  try {
    value = JSON.parse(line.slice(1))
  } catch {
    return undefined
  }
  if (line[0] === 'H') return headOf(value)
  if (typeof value !== 'object' || value === null) return undefined
  const [entityType, entityId] = [Reflect.get(value, 0), Reflect.get(value, 1)] as unknown[]
  return typeof entityType === 'string' && typeof entityId === 'string'
    ? { is: 'lane', entityType, entityId }
    : undefined
}

function headOf(value: unknown): MirrorLine | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const field = (name: string): unknown => Reflect.get(value, name)
  const [log, journal, at, size, line] = [field('log'), field('journal'), field('at'), field('size'), field('opened')]
  const opened = typeof line === 'string' ? decodeRecord(line) : undefined
  if (typeof log !== 'string' || typeof journal !== 'string') return undefined
  if (typeof at !== 'number' || typeof size !== 'number' || opened?.kind !== 'opened') return undefined
  return { is: 'head', head: { log, journal, opened, at, size } }
}
