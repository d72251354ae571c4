/** A name that nobody else has drawn. Unlike `crypto.randomUUID` this works on pages over plain http too. */
export function uniqueName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
