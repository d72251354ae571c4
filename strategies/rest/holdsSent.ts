import { isObject, parseJson } from './json.ts'

/**
 * True when every field of the JSON that was sent is the same in the remote; what the server added (`_id`, a version,
 * times) does not count. A body without a field says nothing, so nobody holds it.
 */
export function holdsSent(remote: unknown, body: string | undefined): boolean {
  if (body === undefined) return false
  const sent = parseJson(body)
  if (!isObject(sent)) return same(remote, sent)
  const fields = Object.keys(sent)
  return isObject(remote) && fields.length > 0 && fields.every((field) => sameField(remote, sent, field))
}

function sameField(a: Record<string, unknown>, b: Record<string, unknown>, field: string): boolean {
  return Object.hasOwn(a, field) && same(a[field], b[field])
}

function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => same(item, b[index]))
  }
  if (isObject(a) && isObject(b)) {
    const fields = Object.keys(b)
    return Object.keys(a).length === fields.length && fields.every((field) => sameField(a, b, field))
  }
  return a === b
}
