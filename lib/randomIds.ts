const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const sizeOfId = 16
const idsAtOnce = 256

/**
 * Random UUIDs, version 4 of RFC 9562. Unlike `crypto.randomUUID` they are there in every page, and ask for random bytes
 * once for many.
 */
export function randomIds(randomBytes: (count: number) => Uint8Array): () => string {
  let bytes = randomBytes(0)
  let next = 0

  const pair = (at: number) => `${hex[bytes[at] ?? 0]}${hex[bytes[at + 1] ?? 0]}`
  /** Two bytes, the first bits of which are given. */
  const marked = (at: number, mask: number, bits: number) =>
    `${hex[((bytes[at] ?? 0) & mask) | bits]}${hex[bytes[at + 1] ?? 0]}`

  return () => {
    if (next === bytes.length) {
      bytes = randomBytes(sizeOfId * idsAtOnce)
      next = 0
    }
    const at = next
    next += sizeOfId
    const time = `${pair(at)}${pair(at + 2)}-${pair(at + 4)}-${marked(at + 6, 0x0f, 0x40)}`
    return `${time}-${marked(at + 8, 0x3f, 0x80)}-${pair(at + 10)}${pair(at + 12)}${pair(at + 14)}`
  }
}
