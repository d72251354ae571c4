import { STATUS_CODES } from 'node:http'

interface ProblemInit {
  detail?: string
  /** What is stored instead, and its version. */
  current?: unknown
  etag?: string
  headers?: Record<string, string>
}

/** A refusal: thrown anywhere, it rolls back the transaction and becomes the answer (RFC 9457). */
export class Problem extends Error {
  override name = 'Problem'
  readonly status: number
  readonly type: string
  readonly init: ProblemInit

  constructor(status: number, type: string, init: ProblemInit = {}) {
    super(init.detail ?? type)
    this.status = status
    this.type = type
    this.init = init
  }

  toResponse(): Response {
    const { detail, current, etag, headers } = this.init
    const body = {
      type: `urn:rx-outbox:${this.type}`,
      title: STATUS_CODES[this.status] ?? 'Error',
      status: this.status,
      ...(detail !== undefined && { detail }),
      ...(current !== undefined && { current }),
    }
    return new Response(JSON.stringify(body), {
      status: this.status,
      headers: {
        ...headers,
        ...(etag !== undefined && { ETag: etag }),
        'Content-Type': 'application/problem+json',
        'Cache-Control': 'no-store',
      },
    })
  }
}

/** SQLSTATE of text that PostgreSQL cannot store: U+0000, lone surrogates. */
const unstorable = new Set(['22021', '22P02', '22P05'])

/** Whatever was thrown, as a refusal. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && unstorable.has(error.code)) {
    return new Problem(422, 'not-acceptable', { detail: 'The text holds characters that cannot be stored.' })
  }
  return new Problem(500, 'unexpected')
}
