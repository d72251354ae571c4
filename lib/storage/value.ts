import { isPlainJson } from './plainJson.ts'
import { revive } from './revive.ts'
import { tagged } from './tagged.ts'

/**
 * The text of a value: JSON, with tags for what JSON does not have. Date, RegExp, Map, Set, BigInt, typed arrays,
 * ArrayBuffer, DataView, NaN, ±Infinity, -0 and undefined survive; an instance of a class becomes a plain object of its
 * own enumerable fields.
 *
 * @param root what the value is called in errors
 * @throws TypeError that names the path of what cannot be stored
 *
 * @example encodeValue({ id: 'n1', due: new Date(0) }, 'note') // {"id":"n1","due":{"$":["Date",0]}}
 */
export function encodeValue(value: unknown, root: string): string {
  try {
    return JSON.stringify(isPlainJson(value) ? value : tagged(value, root))
  } catch (cause) {
    if (cause instanceof TypeError) throw cause
    throw new TypeError(`${root} has a field that throws when it is read`, { cause })
  }
}

/**
 * A fresh copy of what was given to `encodeValue`.
 *
 * @throws SyntaxError where the text is no JSON
 * @throws StorageError for a tag that this version does not know
 */
export function decodeValue(text: string): unknown {
  const value: unknown = JSON.parse(text)
  // Quotes inside a string are escaped, so this is only found where a tag, or something like one, begins.
  return text.includes('{"$":[') ? revive(value) : value
}
