import { versionOfETag } from './entityTag.ts'
import { httpDate } from './httpDate.ts'
import { ownField } from './json.ts'

/** What a server answered, as far as it is believed; `body` is its JSON, `undefined` for an empty answer. */
export interface RestAnswer {
  status: number
  headers: Headers
  body: unknown
}

/** `_id`, else `id`, of a JSON object. */
export function idIn({ body }: RestAnswer): string | number | undefined {
  return [ownField(body, '_id'), ownField(body, 'id')].find(isId)
}

export function versionIn({ headers }: RestAnswer): string | undefined {
  return versionOfETag(headers.get('etag'))
}

/** `current`, else `remote`; `null` says that the remote holds nothing any more. */
export function remoteIn({ body }: RestAnswer): unknown {
  return ['current', 'remote'].map((field) => ownField(body, field)).find((held) => held !== undefined)
}

/** The server's clock, from `Date`. */
export function syncedAt({ headers }: RestAnswer): { syncedAt?: number } {
  const time = httpDate(headers.get('date'))
  return time === undefined ? {} : { syncedAt: time }
}

export const isConflict = (status: number) => status === 409 || status === 412
export const isGone = (status: number) => status === 404 || status === 410

/** Browsers hide a redirect that is not followed, Node shows it; a `fetch` that was handed in may have followed it. */
export function isRedirect({ type, status, redirected }: Response): boolean {
  return redirected || type === 'opaqueredirect' || (status >= 300 && status < 400)
}

function isId(value: unknown): value is string | number {
  return typeof value === 'number' || (typeof value === 'string' && value !== '')
}
