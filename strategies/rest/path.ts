import { ClientError } from 'rx-outbox'

/**
 * The absolute address of a collection.
 * @throws TypeError for anything but http(s), for credentials in it, and for a relative one without a base
 */
export function collectionUrl(url: string, base: string | undefined): URL {
  if (!URL.canParse(url, base)) {
    throw new TypeError('restStrategy: `url` must be absolute, or relative to `baseUrl` or to the origin of the page')
  }
  const collection = new URL(url, base)
  if (!/^https?:$/.test(collection.protocol)) throw new TypeError('restStrategy: `url` must be of http or https')
  if (collection.username !== '' || collection.password !== '') {
    throw new TypeError('restStrategy: `url` must not carry credentials; use `token` or `headers`')
  }
  return collection
}

/**
 * The address of one entity: the collection's with exactly one more path segment, whatever `id` says.
 * @throws ClientError for an id that cannot be a segment
 */
export function itemUrl(collection: URL, id: string): URL {
  const path = `${collection.pathname.replace(/\/+$/, '')}/${segment(id)}`
  const url = new URL(`${collection.origin}${path}${collection.search}`)
  // What the parser understood has to be what was composed: same origin, same segments, none dropped or added.
  if (url.origin !== collection.origin || url.pathname !== path) throw unfit('the address would lead elsewhere')
  return url
}

function segment(id: string): string {
  // The URL parser takes these two away, and the parent with the second; an empty one names the collection itself.
  if (id === '' || id === '.' || id === '..') throw unfit(`it is "${id}"`)
  try {
    return encodeURIComponent(id)
  } catch {
    throw unfit('it is not well-formed text')
  }
}

function unfit(why: string): ClientError {
  return new ClientError(`The id cannot be part of an address: ${why}`)
}

/** The address of a page: the collection's with `since`, but for the first page, and `limit`. */
export function pageUrl(collection: URL, checkpoint: unknown, limit: number): URL {
  const url = new URL(collection)
  if (checkpoint !== undefined) url.searchParams.set('since', textOf(checkpoint))
  url.searchParams.set('limit', String(limit))
  return url
}

/** Where the collection says what changes. */
export function liveUrl(collection: URL, live: string | boolean): URL {
  if (typeof live === 'string') return collectionUrl(live, collection.href)
  const url = new URL(collection)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/changes`
  return url
}

/** A checkpoint as it was given: text as it is, anything else as JSON. */
export function textOf(checkpoint: unknown): string {
  return typeof checkpoint === 'string' ? checkpoint : JSON.stringify(checkpoint)
}
