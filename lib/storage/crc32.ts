const polynomial = 0xedb88320
const [t0, t1, t2, t3] = tables()

/**
 * CRC-32 of RFC 1952 over `bytes` from `start` up to `end`, as an unsigned number.
 *
 * @example crc32(new TextEncoder().encode('123456789')) // 0xcbf43926
 */
// Over bytes rather than code units: measured three times as fast, and the text has to be encoded anyway. Four bytes a
// step is a third faster than one.
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1
  let i = start
  for (const last = end - 3; i < last; i += 4) {
    crc ^= (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24)
    crc = (t3[crc & 255] ?? 0) ^ (t2[(crc >>> 8) & 255] ?? 0) ^ (t1[(crc >>> 16) & 255] ?? 0) ^ (t0[crc >>> 24] ?? 0)
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ (t0[(crc ^ (bytes[i] ?? 0)) & 255] ?? 0)
  return ~crc >>> 0
}

function tables(): [Int32Array, Int32Array, Int32Array, Int32Array] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    return crc
  })
  const after = (table: Int32Array) => table.map((crc) => (crc >>> 8) ^ (first[crc & 255] ?? 0))
  const second = after(first)
  const third = after(second)
  return [first, second, third, after(third)]
}
