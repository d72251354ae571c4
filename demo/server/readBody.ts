import type { HonoRequest } from 'hono'
import { Problem } from './problem.ts'

const largest = 1024 * 1024

/**
 * The text of a request's body.
 * @throws Problem 413 for more than 1 MB, 400 when it is not UTF-8
 */
export async function readBody(request: HonoRequest): Promise<string> {
  if (Number(request.header('Content-Length') ?? 0) > largest) throw tooLarge()
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let size = 0
  let text = ''
  // Not cancelled when it is too large: that would cut the connection before the answer.
  for await (const chunk of request.raw.body?.values({ preventCancel: true }) ?? []) {
    size += chunk.byteLength
    // Also counted, because a body sent in chunks does not say how long it is.
    if (size > largest) throw tooLarge()
    text += decode(decoder, chunk)
  }
  return text + decode(decoder)
}

function decode(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined })
  } catch {
    throw new Problem(400, 'malformed-request', { detail: 'The body is not UTF-8.' })
  }
}

function tooLarge(): Problem {
  return new Problem(413, 'too-large', { detail: 'A body holds at most 1 MB.' })
}
