import { StorageError } from '../errors.ts'
import { fromBase64 } from './base64.ts'
import { viewNamed } from './views.ts'

/**
 * Puts the values back for which tags stand, in place.
 *
 * @throws StorageError for a tag that this version does not know
 */
export function revive(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return reviveList(value)
  return isRecord(value) ? reviveRecord(value) : value
}

function reviveList(list: unknown[]): unknown[] {
  for (let i = 0; i < list.length; i++) list[i] = revive(list[i])
  return list
}

function reviveRecord(record: Record<string, unknown>): unknown {
  const keys = Object.keys(record)
  const { $ } = record
  if (keys.length === 1 && Array.isArray($)) return untag(String($[0]), $[1])
  // `__proto__` is an own property since JSON.parse: writing to it reaches no setter.
  for (const key of keys) record[key] = revive(record[key])
  return record
}

function untag(name: string, content: unknown): unknown {
  switch (name) {
    case '$':
      return { $: revive(content) }
    case 'undefined':
      return undefined
    case 'Number':
      return Number(content)
    case 'BigInt':
      return BigInt(String(content))
    case 'Date':
      return new Date(content === null ? Number.NaN : Number(content))
    case 'RegExp':
      return new RegExp(...pairOf(content, String))
    case 'Set':
      return new Set(listOf(content).map(revive))
    case 'Map':
      return new Map(listOf(content).map((entry) => pairOf(entry, revive)))
    case 'ArrayBuffer':
      return fromBase64(String(content))
    default:
      return reviveView(name, content)
  }
}

function reviveView(name: string, content: unknown): ArrayBufferView {
  const View = viewNamed(name)
  if (!View) throw new StorageError(`A value of the kind "${name}" was stored by a newer version of rx-outbox`)
  return new View(fromBase64(String(content)))
}

const isRecord = (value: object): value is Record<string, unknown> => !Array.isArray(value)

const listOf = (content: unknown): unknown[] => (Array.isArray(content) ? content : [])

function pairOf<T>(content: unknown, read: (value: unknown) => T): [T, T] {
  const [first, second] = listOf(content)
  return [read(first), read(second)]
}
