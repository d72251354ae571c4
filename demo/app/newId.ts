/** An id for something new. `crypto.randomUUID` would do, but a phone that opens the demo by plain http has none. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
