import { Problem } from './problem.ts'

/** A string of RFC 8941: printable ASCII in quotes, in which only `"` and `\` are escaped. */
const structuredString = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/

const longest = 255

/**
 * The key that a request carries, if any.
 * @throws Problem 400 when the header is not a Structured Field string of 1 to 255 characters
 *
 * @example parseKey('"0b1f6c1e"') // 0b1f6c1e
 */
export function parseKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const key = structuredString.exec(header.trim())?.[1]?.replace(/\\(["\\])/g, '$1')
  if (!key || key.length > longest) {
    const detail = `Idempotency-Key takes a string in quotes, of 1 to ${longest} characters: "0b1f6c1e".`
    throw new Problem(400, 'malformed-key', { detail })
  }
  return key
}

/** The keys whose requests are running now. */
export function keysInUse() {
  const keys = new Set<string>()
  return {
    /**
     * Runs `work` while the key counts as in use.
     * @throws Problem 409 when it is so already
     */
    async during<T>(key: string | undefined, work: () => Promise<T>): Promise<T> {
      if (key === undefined) return work()
      if (keys.has(key)) {
        const detail = 'A request with this Idempotency-Key is still running.'
        throw new Problem(409, 'key-in-use', { detail, headers: { 'Retry-After': '1' } })
      }
      keys.add(key)
      try {
        return await work()
      } finally {
        keys.delete(key)
      }
    },
  }
}
