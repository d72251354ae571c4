import { decodeValue, encodeValue } from '../storage/value.ts'

/** Whether two texts of values mean the same, whatever the order of fields. */
export function sameText(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  try {
    return sameValue(decodeValue(a), decodeValue(b))
  } catch {
    return false
  }
}

/** Whether two values are the same, field by field; of what is no plain object and no list, by its text. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, at) => sameValue(one, b[at]))
  if (isPlain(a) && isPlain(b)) {
    const names = Object.keys(a)
    return (
      names.length === Object.keys(b).length &&
      names.every((name) => Object.hasOwn(b, name) && sameValue(a[name], b[name]))
    )
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b) || isPlain(a) || isPlain(b)) return false
  return encodeValue(a, '') === encodeValue(b, '')
}

export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
