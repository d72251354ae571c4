import { crc32 } from './crc32.ts'
import { readHex, writeHex } from './hex.ts'
import { joined } from './joined.ts'

const formatVersion = 1
const newline = 10
const space = 32
const headerMark = new TextEncoder().encode('rx')
const blank = '00000000'
/** The checksum and the space before each text; also the 8 hex and the newline at a header's end. */
const margin = 9

export interface DecodedGroups {
  /** The texts of all sound lines, in order. */
  lines: string[]
  /** The bytes of damaged lines. */
  broken: Uint8Array[]
  /** A group was cut off, and is left out as a whole. */
  torn: boolean
  /** There is a format version that this code does not know; then nothing is decoded. */
  newer: boolean
}

/** What a header says of its group. */
interface Extent {
  /** Where the first line behind the header starts, and where the last one should end. */
  start: number
  end: number
  count: number
  /** How many lines had been decoded before. */
  before: number
  brokenBefore: number
}

/**
 * The bytes of a group of texts, none of which begins with `rx`: lines `<8 hex of CRC-32> <text>\n`, the first of them the header
 * `rx<format version> <number of lines> <8 hex of the number of bytes behind the header>`.
 *
 * @throws RangeError where a text has a newline in it
 *
 * @example decodeGroups([encodeGroup(['{"lsn":1}'])]).lines // ['{"lsn":1}']
 */
// Lines rather than length prefixes: the newline behind a damaged line is a place to go on from, while a damaged length
// takes its neighbours along.
export function encodeGroup(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  const header = `rx${formatVersion} ${lines.length} ${blank}`
  const bytes = new TextEncoder().encode(`${blank} ${[header, ...lines].join(`\n${blank} `)}\n`)
  const body = bytes.indexOf(newline) + 1
  writeHex(bytes, body - margin, bytes.length - body)
  let count = 0
  for (let start = 0; start < bytes.length; count++) {
    const end = bytes.indexOf(newline, start)
    writeHex(bytes, start, crc32(bytes, start + margin, end))
    start = end + 1
  }
  if (count !== lines.length + 1) throw new RangeError('A line of a group must not contain a newline')
  return bytes
}

/** What is sound in the groups, in as many pieces as they come. No bytes make it throw. */
export function decodeGroups(pieces: readonly Uint8Array[]): DecodedGroups {
  const decoded: DecodedGroups = { lines: [], broken: [], torn: false, newer: false }
  decodeBytes(joined(pieces), decoded)
  return decoded.newer ? { lines: [], broken: [], torn: false, newer: true } : decoded
}

function decodeBytes(bytes: Uint8Array, into: DecodedGroups): void {
  // One call for all lines: a newline is never part of another character, so the texts split where the bytes do.
  const texts = new TextDecoder().decode(bytes).split('\n')
  let group: Extent | undefined
  let whole = 0
  let start = 0
  for (let text of texts) {
    if (start >= bytes.length) break
    const found = bytes.indexOf(newline, start)
    const end = found < 0 ? bytes.length : found
    let sound = isSound(bytes, start, end)
    const behind = sound || found < 0 ? undefined : headerBehind(bytes, start, end)
    if (behind !== undefined) {
      if (group && start < group.end) into.broken.push(bytes.slice(start, behind))
      else into.torn = true
      start = behind
      sound = true
      text = new TextDecoder().decode(bytes.subarray(start, end))
    }
    const header = sound && found >= 0 ? headerOf(text, end + 1, into) : undefined
    if (header === 'newer') {
      into.newer = true
      return
    }
    if (header) {
      dropTorn(group, start, whole, into)
      group = header
      whole = 0
    } else if (found < 0 && !(group && start < group.end)) {
      into.torn = true
    } else {
      if (found >= 0) whole++
      if (sound) into.lines.push(text.slice(margin))
      else into.broken.push(bytes.slice(start, end))
    }
    start = end + 1
  }
  dropTorn(group, bytes.length, whole, into)
}

/** Where a header stands behind a line that was cut off: whoever wrote next went on there. */
function headerBehind(bytes: Uint8Array, start: number, end: number): number | undefined {
  for (let at = bytes.indexOf(space, start + margin); at >= 0 && at < end; at = bytes.indexOf(space, at + 1)) {
    const isHeader = headerMark.every((byte, i) => bytes[at + 1 + i] === byte)
    if (isHeader && isSound(bytes, at + 1 - margin, end)) return at + 1 - margin
  }
  return undefined
}

function isSound(bytes: Uint8Array, start: number, end: number): boolean {
  const text = start + margin
  return text <= end && bytes[text - 1] === space && readHex(bytes, start) === crc32(bytes, text, end)
}

function headerOf(text: string, start: number, into: DecodedGroups): Extent | 'newer' | undefined {
  // No record begins like this.
  if (!text.startsWith('rx', margin)) return undefined
  const [version, count, length] = text.slice(margin + 2).split(' ')
  if (Number(version) > formatVersion) return 'newer'
  const end = start + Number.parseInt(length ?? '', 16)
  return { start, end, count: Number(count), before: into.lines.length, brokenBefore: into.broken.length }
}

/** Takes back the lines of a group that is short of both lines and bytes: one of them alone may be damage. */
function dropTorn(group: Extent | undefined, end: number, whole: number, into: DecodedGroups): void {
  if (!group || whole >= group.count || end >= group.end) return
  into.lines.length = group.before
  into.broken.length = group.brokenBefore
  into.torn = true
}
