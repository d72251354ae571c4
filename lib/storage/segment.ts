const prefix = 4

/** The segment with one more group: each group behind its length, 32 bits, little-endian. */
export function withGroup(segment: Uint8Array, group: Uint8Array): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(segment.length + prefix + group.length)
  grown.set(segment)
  new DataView(grown.buffer).setUint32(segment.length, group.length, true)
  grown.set(group, segment.length + prefix)
  return grown
}

/** Copies of the groups of a segment. A length that cannot be right makes one group of all that is left. */
export function groupsOf(segment: Uint8Array): Uint8Array[] {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength)
  const groups: Uint8Array[] = []
  for (let start = prefix; start <= segment.length;) {
    const end = start + view.getUint32(start - prefix, true)
    groups.push(segment.slice(start, end))
    start = end + prefix
  }
  return groups
}
