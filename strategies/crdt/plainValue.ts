import { PermanentError } from 'rx-outbox'
import { AbstractType, Doc } from 'yjs'

/** What a shared map can hold. */
export type Plain = null | boolean | number | bigint | string | Uint8Array | Plain[] | { [key: string]: Plain }

/** Deeper than this nothing is read or written: recursion would end the stack. */
const maxDepth = 64

/**
 * A copy of `value` that a shared map can hold; fields that are `undefined` or named `__proto__` are left out.
 * @throws PermanentError that names the path of what cannot be shared
 */
export function plainValue(value: unknown, path: string, depth = 0): Plain {
  if (depth > maxDepth) throw unshareable(path, `is nested more than ${maxDepth} deep`)
  if (typeof value === 'string') return wellFormed(value)
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value) throw unshareable(path, 'is more than 64 bits')
  if (isScalar(value)) return value
  if (value instanceof Uint8Array) return value.slice()
  if (Array.isArray(value))
    return value.map((item: unknown, at) => plainValue(item ?? null, `${path}[${at}]`, depth + 1))
  if (isPlainObject(value)) return plainFields(value, path, depth)
  throw unshareable(path, `is ${described(value)}, which a shared document does not keep`)
}

/** The fields of `object` as a shared map can hold them. */
export function plainFields(object: object, path: string, depth = 0): { [key: string]: Plain } {
  return Object.fromEntries(
    Object.entries(object)
      .filter(([key, value]) => value !== undefined && key !== '__proto__')
      .map(([key, value]) => [wellFormed(key), plainValue(value, path ? `${path}.${key}` : key, depth + 1)]),
  )
}

/** What a document holds, made harmless: a copy of what is its own; what is no plain value, or too deep, is `null`. */
export function inertValue(value: unknown, depth = 0): Plain {
  if (typeof value !== 'object' || value === null) return isScalar(value) ? value : null
  if (value instanceof Uint8Array) return value.slice()
  if (depth > maxDepth || value instanceof AbstractType || value instanceof Doc) return null
  if (Array.isArray(value)) return value.map((item) => inertValue(item, depth + 1))
  return inertFields(Object.entries(value), depth + 1)
}

export function inertFields(entries: (readonly [string, unknown])[], depth = 0): { [key: string]: Plain } {
  return Object.fromEntries(
    entries
      .filter(([key, value]) => value !== undefined && key !== '__proto__')
      .map(([key, value]) => [key, inertValue(value, depth)]),
  )
}

export function samePlain(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b) || a instanceof Uint8Array !== b instanceof Uint8Array) return false
  const [as, bs] = [Object.entries(a), new Map(Object.entries(b))]
  return as.length === bs.size && as.every(([key, value]) => bs.has(key) && samePlain(value, bs.get(key)))
}

/** Half a character cannot be encoded: a document would hold something else than what was written. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD')
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function isScalar(value: unknown): value is null | boolean | number | bigint | string {
  return value === null || ['boolean', 'number', 'bigint', 'string'].includes(typeof value)
}

function described(value: unknown): string {
  return typeof value === 'object' ? `a ${Object.prototype.toString.call(value).slice(8, -1)}` : `a ${typeof value}`
}

function unshareable(path: string, what: string): PermanentError {
  return new PermanentError(`The field ${path || 'data'} ${what}`)
}
