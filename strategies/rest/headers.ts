import { ClientError } from 'rx-outbox'

/**
 * The headers of a request; later parts win.
 * @throws ClientError for a value that no header can carry; it names the header, never the value
 */
export function requestHeaders(...parts: (HeadersInit | undefined)[]): Headers {
  const headers = new Headers()
  for (const [name = '', value = ''] of parts.flatMap(entriesOf)) {
    try {
      headers.set(name, value)
    } catch {
      // Without the cause: its message quotes the value.
      throw new ClientError(`The header ${JSON.stringify(name)} has characters that no header can carry`)
    }
  }
  return headers
}

function entriesOf(part: HeadersInit = {}): (readonly string[])[] {
  return Symbol.iterator in part ? [...part] : Object.entries(part)
}
