import { ClientError } from 'rx-outbox'

/**
 * A String of RFC 8941, as `Idempotency-Key` wants it.
 * @throws ClientError for what such a string cannot hold: anything but printable ASCII
 *
 * @example structuredString('a"b') // '"a\\"b"'
 */
export function structuredString(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new ClientError('The idempotency key has characters that no header can carry')
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
