/** In the place of a segment: all older generations are void. */
const end = 'end'

export interface JournalKey {
  key: string
  journal: string
  generation: number
  /** `undefined` for the mark that says that the journal was removed. */
  segment: number | undefined
}

/** The beginning of all keys of a space. */
const spacePrefix = (space: string): string => `rx-outbox/${escaped(space)}/`

/** The beginning of all keys of a journal. */
export const journalPrefix = (space: string, journal: string): string => `${spacePrefix(space)}${escaped(journal)}/`

/** `rx-outbox/<space>/<journal>/<generation>/<segment>`; numbers are padded, so that the keys sort as the groups do. */
export const segmentKey = (prefix: string, generation: number, segment: number): string =>
  `${prefix}${padded(generation)}/${padded(segment)}`

export const endKey = (prefix: string, generation: number): string => `${prefix}${padded(generation)}/${end}`

/** The keys of a space among all keys; what others keep there is left out. */
export function keysOfSpace(keys: readonly string[], space: string): JournalKey[] {
  const prefix = spacePrefix(space)
  return keys.flatMap((key) => {
    const match = key.startsWith(prefix) && /^([^/]*)\/(\d+)\/(\d+|end)$/.exec(key.slice(prefix.length))
    if (!match) return []
    const [, journal = '', generation, segment] = match
    return {
      key,
      journal: unescaped(journal),
      generation: Number(generation),
      segment: segment === end ? undefined : Number(segment),
    }
  })
}

const padded = (number: number): string => String(number).padStart(10, '0')

// By code unit: encodeURIComponent throws on half a surrogate pair.
export const escaped = (name: string): string =>
  name.replace(/[^\w.-]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

export const unescaped = (name: string): string =>
  name.replace(/%([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
