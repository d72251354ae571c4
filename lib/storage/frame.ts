import { crc32 } from './crc32.ts'
import { readHex, writeHex } from './hex.ts'
import { joined } from './joined.ts'

const formatVersion = '1'
/** What a line begins with that holds a sealed group: see seal.ts. */
export const sealMark = 'rxe1'
const newline = 10
const space = 32
const blank = '00000000'
/** The checksum and the space before each text; also the 8 hex and the newline at a header's end. */
export const margin = 9

export interface DecodedGroups {
  /** The texts of all sound lines, in order. */
  lines: string[]
  /** The bytes of damaged lines. */
  broken: Uint8Array[]
  /** A group was cut off, and is left out as a whole. */
  torn: boolean
  /** There is a format that this code does not know; then nothing is decoded. */
  newer: boolean
  /** There is a group that only a key opens; it is left out. */
  sealed: boolean
}

/** A header's group, as far as it was read. */
interface Section {
  /** Where it should end. */
  end: number
  count: number
  /** How many lines had been decoded before. */
  before: number
  /** Its lines so far. */
  whole: number
  /** It is not a group's beginning: something in it was changed. */
  isDamaged: boolean
}

/**
 * The bytes of a group of texts, none of which begins with `rx`: an empty line, then lines `<8 hex of CRC-32> <text>\n`, the
 * first of them the header `rx<format version> <number of lines> <8 hex of the number of bytes behind the header>`.
 *
 * @throws RangeError where a text has a newline in it
 *
 * @example decodeGroups([encodeGroup(['{"lsn":1}'])]).lines // ['{"lsn":1}']
 */
// Lines rather than length prefixes: the newline behind a damaged line is a place to go on from, while a damaged length
// takes its neighbours along. The empty line ends what a write before this one may have left half written.
export function encodeGroup(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  const header = `rx${formatVersion} ${lines.length} ${blank}`
  const bytes = withMargins([header, ...lines])
  const body = bytes.indexOf(newline, 1) + 1
  writeHex(bytes, body - margin, bytes.length - body)
  if (writeChecksums(bytes) !== lines.length + 1) throw new RangeError('A line of a group must not contain a newline')
  return bytes
}

/** The bytes of one line that is no group's: an empty line, and `<8 hex of CRC-32> <text>\n`. */
export function encodeLine(text: string): Uint8Array<ArrayBuffer> {
  const bytes = withMargins([text])
  writeChecksums(bytes)
  return bytes
}

function withMargins(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`\n${blank} ${texts.join(`\n${blank} `)}\n`)
}

/** Returns of how many lines. */
function writeChecksums(bytes: Uint8Array): number {
  let count = 0
  for (let start = 1; start < bytes.length; count++) {
    const end = bytes.indexOf(newline, start)
    writeHex(bytes, start, crc32(bytes, start + margin, end))
    start = end + 1
  }
  return count
}

/** What is sound in the groups, in as many pieces as they come. No bytes make it throw. */
export function decodeGroups(pieces: readonly Uint8Array[]): DecodedGroups {
  const decoded: DecodedGroups = { lines: [], broken: [], torn: false, newer: false, sealed: false }
  decodeBytes(joined(pieces), decoded)
  return decoded.newer ? { lines: [], broken: [], torn: false, newer: true, sealed: false } : decoded
}

function decodeBytes(bytes: Uint8Array, into: DecodedGroups): void {
  // One call for all lines: a newline is never part of another character, so the texts split where the bytes do.
  const texts = new TextDecoder().decode(bytes).split('\n')
  let section: Section | undefined
  /** Where the last line began, if it is not sound: cut off, where a header or nothing at all comes next. */
  let half: number | undefined
  let start = 0

  function endsSection(end: number): void {
    if (section && isTorn(section, end)) {
      into.lines.length = section.before
      into.torn = true
    } else if (half !== undefined) {
      // Behind the end of its group it was the beginning of another one.
      if (section && half < section.end) into.broken.push(bytes.slice(half, end))
      else into.torn = true
    }
    half = undefined
  }

  function endsLine(end: number): void {
    if (half === undefined) return
    into.broken.push(bytes.slice(half, end))
    if (section) section.isDamaged = true
    half = undefined
  }

  for (const text of texts) {
    if (start >= bytes.length) break
    const found = bytes.indexOf(newline, start)
    const end = found < 0 ? bytes.length : found
    const isSound = isSoundLine(bytes, start, end)
    const header = isSound && text.startsWith('rx', margin) ? text.slice(margin).split(' ') : undefined
    if (header?.[0] === `rx${formatVersion}`) {
      endsSection(start - 1)
      section = sectionOf(header, end + 1, into)
    } else {
      endsLine(start - 1)
      if (header?.[0] === sealMark) into.sealed = true
      else if (header) into.newer = true
      else if (isSound) {
        into.lines.push(text.slice(margin))
        if (section) section.whole++
      } else if (end > start) half = start
    }
    start = end + 1
  }
  if (bytes.at(-1) === newline) endsLine(bytes.length - 1)
  endsSection(bytes.length)
}

function sectionOf([, count, length]: string[], start: number, { lines }: DecodedGroups): Section {
  const end = start + Number.parseInt(length ?? '', 16)
  return { end, count: Number(count), before: lines.length, whole: 0, isDamaged: false }
}

/** Short of both lines and bytes, while what there is of it is sound: one of the three alone is damage. */
function isTorn({ isDamaged, whole, count, end }: Section, at: number): boolean {
  return !isDamaged && whole < count && at < end
}

/** Whether the line from `start` to `end` is what its checksum says. */
export function isSoundLine(bytes: Uint8Array, start: number, end: number): boolean {
  const text = start + margin
  return text <= end && bytes[text - 1] === space && readHex(bytes, start) === crc32(bytes, text, end)
}
