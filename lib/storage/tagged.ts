import { toBase64 } from './base64.ts'
import { isPlainJson } from './plainJson.ts'
import { viewNamed } from './views.ts'

const deepest = 1_000
const longestPath = 500

/** Where a value was found: the way back to the root names it, and shows circles. */
interface Place {
  step: string
  depth: number
  holder?: object
  above?: Place
}

interface Builtins {
  ArrayBuffer: ArrayBuffer
  Date: Date
  Map: Map<unknown, unknown>
  RegExp: RegExp
  Set: Set<unknown>
}

/**
 * The value as JSON can hold it: `{ $: [tag, content] }` stands for what JSON does not have, and `$` as tag for data
 * that looks like a tag.
 *
 * @throws TypeError that names the path of what cannot be stored
 */
export function tagged(value: unknown, root: string): unknown {
  return tag(value, { step: root, depth: 0 })
}

function tag(value: unknown, place: Place): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return isPlainJson(value) ? value : { $: ['Number', Object.is(value, -0) ? '-0' : String(value)] }
    case 'bigint':
      return { $: ['BigInt', String(value)] }
    case 'undefined':
      return { $: ['undefined'] }
    case 'object':
      return value === null ? null : tagObject(value, place)
    default:
      return refuse(place, `is a ${typeof value}`)
  }
}

function tagObject(holder: object, place: Place): unknown {
  refuseCircle(holder, place)
  const inside = (value: unknown, step: string) => tag(value, { step, depth: place.depth + 1, holder, above: place })
  if (Array.isArray(holder)) return Array.from(holder, (item, i) => inside(item, `[${i}]`))
  if (ArrayBuffer.isView(holder) && viewNamed(nameOf(holder)) && is(holder.buffer, 'ArrayBuffer')) {
    return { $: [nameOf(holder), toBase64(holder.buffer, holder.byteOffset, holder.byteLength)] }
  }
  if (is(holder, 'ArrayBuffer')) return { $: ['ArrayBuffer', toBase64(holder)] }
  if (is(holder, 'Date')) return { $: ['Date', holder.getTime()] }
  if (is(holder, 'RegExp')) return { $: ['RegExp', [holder.source, holder.flags]] }
  if (is(holder, 'Set')) return { $: ['Set', [...holder].map((item, i) => inside(item, ` (item ${i})`))] }
  if (is(holder, 'Map')) {
    const entries = [...holder].map(([key, value], i) => [inside(key, ` (key ${i})`), inside(value, atKey(key, i))])
    return { $: ['Map', entries] }
  }
  if (!isRecord(holder)) return refuse(place, `is ${withArticle(nameOf(holder))}`)
  if (typeof holder['toJSON'] === 'function')
    return refuse(place, 'has a toJSON method, so it stands for something else,')
  return tagRecord(holder, inside)
}

function tagRecord(record: Record<string, unknown>, inside: (value: unknown, step: string) => unknown): unknown {
  const keys = Object.keys(record)
  // Without a prototype `__proto__` is a key like any other.
  const plain: Record<string, unknown> = { __proto__: null }
  for (const key of keys) plain[key] = inside(record[key], stepTo(key))
  return keys.length === 1 && keys[0] === '$' ? { $: ['$', plain['$']] } : plain
}

// By the built-in tag, not by `instanceof`: values come from other realms too, and behind the proxies of Vue.
const nameOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1)

const is = <K extends keyof Builtins>(value: object, name: K): value is Builtins[K] => nameOf(value) === name

const isRecord = (value: object): value is Record<string, unknown> => nameOf(value) === 'Object'

const stepTo = (key: string): string => (/^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`)

const atKey = (key: unknown, i: number): string =>
  typeof key === 'string' ? `.get(${JSON.stringify(key)})` : ` (entry ${i})`

const withArticle = (name: string): string => `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`

function refuseCircle(holder: object, place: Place): void {
  for (let at: Place | undefined = place; at; at = at.above) {
    if (at.above && at.holder === holder) refuse(place, `is ${pathTo(at.above)} again, a circle,`)
  }
  if (place.depth > deepest) refuse(place, `is more than ${deepest} levels deep`)
}

function refuse(place: Place, why: string): never {
  throw new TypeError(`${pathTo(place)} ${why} and cannot be stored`)
}

function pathTo(place: Place): string {
  let path = ''
  for (let at: Place | undefined = place; at; at = at.above) path = at.step + path
  return path.length > longestPath ? `${path.slice(0, longestPath)}…` : path
}
