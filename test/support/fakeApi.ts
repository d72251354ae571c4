import { vi } from 'vitest'

export interface ApiCall {
  method: string
  path: string
  /** The JSON that was sent; `undefined` for none. */
  body: unknown
  /** Epoch ms at which it came. */
  at: number
}

/** Puts itself in the place of `fetch` until globals are unstubbed, answers every call alike and remembers it. */
export function fakeApi(status: number, body?: object): ApiCall[] {
  const calls: ApiCall[] = []
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
    const at = Date.now()
    const request = new Request(input instanceof Request ? input : new URL(input, location.href), init)
    // What others changed: nothing, and nobody says so live. It is no call of the test's.
    if (request.method === 'GET' && new URL(request.url).searchParams.has('limit'))
      return Response.json({ changed: [], deleted: [], checkpoint: '0', more: false })
    if (request.method === 'GET' && request.url.endsWith('/changes')) return new Promise<Response>(() => undefined)
    const text = await request.text()
    const sent: unknown = text === '' ? undefined : JSON.parse(text)
    calls.push({ method: request.method, path: new URL(request.url).pathname, body: sent, at })
    return body ? Response.json(body, { status }) : new Response(null, { status })
  })
  return calls
}
