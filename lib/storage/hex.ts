const digits = '0123456789abcdef'
const codes = Uint8Array.from(digits, (digit) => digit.charCodeAt(0))
const values = new Int8Array(256).fill(-1)
codes.forEach((code, value) => (values[code] = value))

/** Writes an unsigned 32-bit number as 8 hex digits. */
export function writeHex(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 8; i++) bytes[at + i] = codes[(value >>> (28 - 4 * i)) & 15] ?? 0
}

/** The unsigned 32-bit number that stands there as 8 hex digits; -1 where there are none. */
export function readHex(bytes: Uint8Array, at: number): number {
  let value = 0
  for (let i = 0; i < 8; i++) {
    const digit = values[bytes[at + i] ?? 0] ?? -1
    if (digit < 0) return -1
    value = (value << 4) | digit
  }
  return value >>> 0
}
