/** Values that JSON alone would lose, by the name of their kind. */
export const values: Record<string, unknown> = {
  date: new Date('2026-11-23T20:00:00.123Z'),
  invalidDate: new Date(NaN),
  map: new Map<unknown, unknown>([
    ['since', new Date(0)],
    [{ key: 1 }, new Set([1n])],
  ]),
  set: new Set(['a', 2, null]),
  bigint: -(2n ** 80n),
  bytes: new Uint8Array([0, 127, 255]),
  part: new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
  clamped: new Uint8ClampedArray([300]),
  words: new Int16Array([-1, 32_767]),
  floats: new Float64Array([Math.PI, -0, NaN]),
  bigs: new BigInt64Array([-1n, 2n ** 62n]),
  buffer: new Uint8Array([9, 8]).buffer,
  view: new DataView(new Uint8Array([5, 6]).buffer),
  numbers: [NaN, Infinity, -Infinity, -0],
  nothing: [undefined, null],
  text: 'a line\u2028b \u0000 🗒️',
  looksLikeATag: { $: ['Date', 0] },
  deep: { in: { a: { list: [new Map([[1n, new Date(1)]])] } } },
}

/** A value and all in it as text, so that it can leave the page. */
export function described(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const list = (items: Iterable<unknown>) => Array.from(items, described).join(', ')
  if (Array.isArray(value)) return `[${list(value)}]`
  if (value instanceof Date) return `Date(${Number.isNaN(value.getTime()) ? 'NaN' : value.toISOString()})`
  if (value instanceof Map) return `Map(${list(value)})`
  if (value instanceof Set) return `Set(${list(value)})`
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${list(new Uint8Array(value))})`
  if (value instanceof DataView) return `DataView(${list(new Uint8Array(value.buffer))})`
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${list(value as Uint8Array)})`
  return `{${Object.entries(value)
    .map(([key, inner]) => `${key}: ${described(inner)}`)
    .join(', ')}}`
}
