import { NetworkError, ServerError } from 'rx-outbox'
import { parseJson } from './json.ts'

/**
 * The JSON of an answer; `undefined` for an empty one.
 * @throws NetworkError for HTML (a captive portal) and for a body that broke off
 * @throws ServerError for another type, for more than `maxBytes`, and for what is no JSON
 */
export async function readJson(request: string, response: Response, maxBytes: number): Promise<unknown> {
  const init = { status: response.status }
  const json = isJson(response)
  // Of another type it only matters whether there is anything at all.
  const { chunks, complete } = await read(request, response, json ? maxBytes : 0)
  if (chunks.length === 0) return undefined
  if (mediaType(response) === 'text/html') {
    throw new NetworkError(`${request} was answered with HTML, so not by the server it was meant for`, init)
  }
  if (!json) throw new ServerError(`${request} was answered with something else than JSON`, init)
  if (!complete) throw new ServerError(`${request} was answered with more than ${maxBytes} bytes`, init)
  try {
    return parseJson(decode(chunks))
  } catch {
    // Without the cause: its message quotes the answer.
    throw new ServerError(`${request} was answered with malformed JSON`, init)
  }
}

export function isJson(response: Response): boolean {
  return /^application\/(?:[^;]+\+)?json$/.test(mediaType(response))
}

/** Lets go of a body that nobody reads, so that the connection does not wait for it. */
export function drop(response: Response): void {
  response.body?.cancel().catch(() => {})
}

/** Without its parameters. */
export function mediaType(response: Response): string {
  return (response.headers.get('content-type') ?? '').replace(/;.*/s, '').trim().toLowerCase()
}

async function read(request: string, { body, status }: Response, maxBytes: number) {
  const chunks: Uint8Array[] = []
  if (body === null) return { chunks, complete: true }
  const reader = body.getReader()
  let size = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return { chunks, complete: true }
      if (value.length > 0) chunks.push(value)
      size += value.length
      if (size > maxBytes) {
        reader.cancel().catch(() => {})
        return { chunks, complete: false }
      }
    }
  } catch (cause) {
    throw new NetworkError(`The answer to ${request} broke off`, { cause, status })
  }
}

function decode(chunks: Uint8Array[]): string {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode()
}
