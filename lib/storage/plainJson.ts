const deepest = 100

/**
 * True for what `JSON.stringify` writes and `JSON.parse` reads back unchanged. It may say no to a value that would:
 * then the slow way is taken.
 */
export function isPlainJson(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return value - value === 0 && (value !== 0 || 1 / value > 0)
    case 'object':
      // Whatever is deeper may be a circle.
      return (
        value === null || (depth < deepest && (Array.isArray(value) ? isList(value, depth) : isRecord(value, depth)))
      )
    default:
      return false
  }
}

function isList(list: readonly unknown[], depth: number): boolean {
  if (Object.getPrototypeOf(list) !== Array.prototype) return false
  for (let i = 0; i < list.length; i++) if (!isPlainJson(list[i], depth + 1)) return false
  return true
}

function isRecord(value: object, depth: number): boolean {
  if (!isPlainObject(value)) return false
  for (const key in value) if (key === '$' || !isPlainJson(value[key], depth + 1)) return false
  return true
}

function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
