import { ClientError } from 'rx-outbox'

const entityTag = /^(W\/)?"([\x20\x21\x23-\x7e\x80-\xff]*)"$/

/**
 * The version an `ETag` stands for: a strong one without its quotes, a weak one as it is, so that `ifMatch` can give
 * back exactly what the server gave. Malformed ones stand for none.
 */
export function versionOfETag(etag: string | null): string | undefined {
  const match = entityTag.exec(etag ?? '')
  return match?.[1] === undefined ? match?.[2] : match[0]
}

/**
 * The `If-Match` of a version.
 * @throws ClientError for a version that cannot be an entity tag
 */
export function ifMatch(version: string | number): string {
  const text = String(version)
  // No entity tag has a quote inside, so a version that looks weak was a weak one.
  const etag = text.startsWith('W/"') ? text : `"${text}"`
  if (!entityTag.test(etag)) throw new ClientError('The version has characters that no If-Match can carry')
  return etag
}
