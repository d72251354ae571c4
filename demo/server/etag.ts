import { Problem } from './problem.ts'

const entityTags = /^(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*$/

/** The entity tag of a version. */
export function etagOf(version: number): string {
  return `"${version}"`
}

/**
 * Whether a version is among those that `If-Match` names. A weak tag never matches.
 * @throws Problem 400 when the header is none
 */
export function ifMatch(header: string | undefined, version: number): boolean {
  if (header === undefined || header === '*') return true
  if (!entityTags.test(header)) {
    throw new Problem(400, 'malformed-request', { detail: 'If-Match takes entity tags in quotes, such as "1".' })
  }
  return header.split(',').some((tag) => tag.trim() === etagOf(version))
}

/** Whether the client holds this version already; here a weak tag is as good. */
export function ifNoneMatch(header: string | undefined, version: number): boolean {
  if (header === undefined) return false
  return header.split(',').some((tag) => ['*', etagOf(version)].includes(tag.trim().replace(/^W\//, '')))
}
