import { http, HttpResponse } from 'msw'
import { AuthError, ClientError, NetworkError } from 'rx-outbox'
import { firstValueFrom, Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { restStrategy } from '../../../strategies/rest.ts'
import { attemptWith, entity, mockedRemote, note, type Note, notesUrl, noteUrl, outcome, thrown } from './support.ts'

const remote = mockedRemote()
const strategy = restStrategy<Note>({ url: notesUrl })

/** Every request from here on, answered with 204. */
function recorded() {
  const requests: { method: string; url: string; headers: Headers; body: string }[] = []
  remote.use(
    http.all('http://api.test/*', async ({ request }) => {
      const { method, url, headers } = request
      requests.push({ method, url, headers, body: await request.text() })
      return new HttpResponse(null, { status: 204 })
    }),
  )
  return requests
}

describe('a write', () => {
  it('is a POST to the collection, a PUT and a DELETE to the entity, each with the key of its task', async () => {
    const requests = recorded()
    await outcome(strategy.persistCreate(entity(note), attemptWith({ idempotencyKey: 'a' })))
    await outcome(strategy.persistUpdate(entity(note), attemptWith({ idempotencyKey: 'b"' })))
    await outcome(strategy.persistDelete('n1', 'note', attemptWith({ idempotencyKey: 'c' })))
    expect(requests.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['POST', notesUrl, JSON.stringify(note)],
      ['PUT', noteUrl, JSON.stringify(note)],
      ['DELETE', noteUrl, ''],
    ])
    expect(requests.map(({ headers }) => headers.get('idempotency-key'))).toEqual(['"a"', String.raw`"b\""`, '"c"'])
    expect(requests.map(({ headers }) => headers.get('content-type'))).toEqual([
      'application/json',
      'application/json',
      null,
    ])
  })

  it('goes to the id of the backend once there is one', async () => {
    const requests = recorded()
    await outcome(strategy.persistUpdate(entity(note), attemptWith({ backendId: 'b/1' })))
    await outcome(strategy.persistDelete('n1', 'note', attemptWith({ backendId: 'b/1' })))
    expect(requests.map(({ url }) => url)).toEqual([`${notesUrl}/b%2F1`, `${notesUrl}/b%2F1`])
  })

  it('is made once only, whatever the answer', async () => {
    let count = 0
    remote.use(
      http.put(noteUrl, () => {
        count += 1
        return new HttpResponse(null, { status: 503 })
      }),
    )
    await thrown(strategy.persistUpdate(entity(note), attemptWith()))
    expect(count).toBe(1)
  })

  it.each([
    ['3', '"3"'],
    ['W/"3"', 'W/"3"'],
    [3, '"3"'],
    [undefined, null],
  ])('of version %j goes under If-Match %s; a create goes without', async (version, header) => {
    const requests = recorded()
    const attempt = attemptWith(version === undefined ? {} : { version })
    await outcome(strategy.persistUpdate(entity(note), attempt))
    await outcome(strategy.persistDelete('n1', 'note', attempt))
    await outcome(strategy.persistCreate(entity(note), attempt))
    expect(requests.map(({ headers }) => headers.get('if-match'))).toEqual([header, header, null])
  })

  it('may use other methods; a PUT that creates must find nothing there', async () => {
    const requests = recorded()
    const own = restStrategy<Note>({ url: notesUrl, methods: { create: 'PUT', update: 'PATCH' } })
    await outcome(own.persistCreate(entity(note), attemptWith()))
    await outcome(own.persistUpdate(entity(note), attemptWith()))
    expect(requests.map(({ method, url, headers }) => [method, url, headers.get('if-none-match')])).toEqual([
      ['PUT', noteUrl, '*'],
      ['PATCH', noteUrl, null],
    ])
  })

  it('sends what `toBody` makes of the entity', async () => {
    const requests = recorded()
    const own = restStrategy<Note>({
      url: notesUrl,
      toBody: ({ data }, { owner }) => ({ note: data.title, by: owner, at: new Date(0), none: undefined }),
    })
    await outcome(own.persistCreate(entity(note), attemptWith()))
    expect(requests[0]?.body).toBe('{"note":"Milk","by":"ada","at":"1970-01-01T00:00:00.000Z"}')
  })

  it('carries the headers of the app, but the key and the condition are its own', async () => {
    const requests = recorded()
    const own = restStrategy<Note>({
      url: notesUrl,
      headers: ({ owner }) =>
        Promise.resolve({
          'x-owner': owner,
          'Idempotency-Key': 'no',
          'If-Match': '*',
          'Content-Type': 'application/x+json',
        }),
    })
    await outcome(own.persistUpdate(entity(note), attemptWith({ version: '3' })))
    const headers = Object.fromEntries(requests[0]?.headers ?? [])
    expect(headers).toMatchObject({
      'x-owner': 'ada',
      'idempotency-key': '"k1"',
      'if-match': '"3"',
      'content-type': 'application/x+json',
    })
  })

  it.each([
    [undefined, 'same-origin'],
    ['include', 'include'],
  ] as const)(
    'with the credentials %s goes with %s, past the cache, and refuses redirects',
    async (credentials, sent) => {
      const requests: Request[] = []
      const own = restStrategy<Note>({
        url: notesUrl,
        ...(credentials && { credentials }),
        fetch: (input) => {
          requests.push(new Request(input))
          return Promise.resolve(new Response(null, { status: 204 }))
        },
      })
      await outcome(own.persistUpdate(entity(note), attemptWith()))
      expect(requests[0]).toMatchObject({ credentials: sent, cache: 'no-store', redirect: 'manual' })
    },
  )
})

describe('nothing is sent', () => {
  it.each([
    ['a key that no header can carry', { idempotencyKey: 'ключ' }, note],
    ['a version that no header can carry', { version: 'ключ' }, note],
    ['a backend id that is no segment', { backendId: '..' }, note],
    ['a Map, which JSON would lose', {}, { ...note, tags: new Map([['a', 1]]) }],
    ['a Set, which JSON would lose', {}, { ...note, tags: new Set(['a']) }],
    ['bytes, which JSON would scatter', {}, { ...note, tags: new Uint8Array(2) }],
    ['a BigInt, which JSON cannot hold', {}, { ...note, tags: 1n }],
  ])('for %s', async (_, parts, data) => {
    const requests = recorded()
    expect(await thrown(strategy.persistUpdate(entity(data), attemptWith(parts)))).toBeInstanceOf(ClientError)
    expect(requests).toEqual([])
  })

  it('from a relative address without a page; the error says what is missing', async () => {
    const relative = restStrategy<Note>({ url: '/notes' })
    expect(await thrown(relative.persistUpdate(entity(note), attemptWith()))).toMatchObject({
      message: expect.stringContaining('`baseUrl`'),
    })
    const requests = recorded()
    const based = restStrategy<Note>({ url: '/notes', baseUrl: 'http://api.test/app/' })
    await outcome(based.persistUpdate(entity(note), attemptWith()))
    expect(requests[0]?.url).toBe(noteUrl)
  })
})

describe('an option that is wrong', () => {
  it.each([
    ['url', { url: '' }],
    ['maxBytes', { url: notesUrl, maxBytes: 0 }],
    ['maxBytes', { url: notesUrl, maxBytes: Number.NaN }],
    ['keyWindow', { url: notesUrl, keyWindow: -1 }],
    ['permanent', { url: notesUrl, permanent: [4.5] }],
  ])('is named: %s', (option, options) => {
    expect(() => restStrategy(options)).toThrow(`restStrategy: \`${option}\` must be`)
  })

  it('is none when it is left open', () => {
    expect(restStrategy({ url: notesUrl })).toMatchObject({ keyWindow: Infinity })
    expect(restStrategy({ url: notesUrl, keyWindow: 0 })).toMatchObject({ keyWindow: 0 })
    expect(restStrategy({ url: notesUrl })).not.toHaveProperty('coalesce')
  })
})

describe('a token', () => {
  const secret = 'tok-123-secret'

  it('is asked for at each attempt, with its owner, and sent as Bearer', async () => {
    const requests = recorded()
    const asked: string[] = []
    const own = restStrategy<Note>({
      url: notesUrl,
      token: (owner, { attempt }) => {
        asked.push(`${owner} ${attempt}`)
        return Promise.resolve(`${secret}-${owner}-${attempt}`)
      },
    })
    await outcome(own.persistUpdate(entity(note), attemptWith({ owner: 'ada', attempt: 1 })))
    await outcome(own.persistUpdate(entity(note), attemptWith({ owner: 'bob', attempt: 2 })))
    expect(asked).toEqual(['ada 1', 'bob 2'])
    expect(requests.map(({ headers }) => headers.get('authorization'))).toEqual([
      `Bearer ${secret}-ada-1`,
      `Bearer ${secret}-bob-2`,
    ])
  })

  it('may be missing', async () => {
    const requests = recorded()
    await outcome(
      restStrategy<Note>({ url: notesUrl, token: () => undefined }).persistUpdate(entity(note), attemptWith()),
    )
    expect(requests[0]?.headers.has('authorization')).toBe(false)
  })

  it('that cannot be had is the error that the app throws', async () => {
    const loggedOut = new AuthError('nobody is logged in')
    const own = restStrategy<Note>({ url: notesUrl, token: () => Promise.reject(loggedOut) })
    expect(await thrown(own.persistUpdate(entity(note), attemptWith()))).toBe(loggedOut)
  })

  it('is in no error, however deep', async () => {
    const own = restStrategy<Note>({ url: notesUrl, token: () => secret, headers: () => ({ 'x-key': secret }) })
    const answers: (() => Response)[] = [
      () => HttpResponse.error(),
      () => new HttpResponse(secret, { status: 401, headers: { 'www-authenticate': secret } }),
      () => HttpResponse.json({ title: secret, detail: secret }, { status: 422 }),
      () => HttpResponse.json({ detail: secret }, { status: 500 }),
      () => HttpResponse.html(secret),
      () => HttpResponse.text(secret),
      () => new HttpResponse(secret, { headers: { 'content-type': 'application/json' } }),
      () => new HttpResponse(null, { status: 302, headers: { location: `http://elsewhere.test/${secret}` } }),
    ]
    for (const answer of answers) {
      remote.use(http.put(noteUrl, answer))
      const error = await thrown(own.persistUpdate(entity(note), attemptWith()))
      expect(everything(error)).not.toContain(secret)
    }
    const unsendable = restStrategy<Note>({ url: notesUrl, token: () => `${secret}\n😀` })
    const error = await thrown(unsendable.persistUpdate(entity(note), attemptWith()))
    expect(error).toBeInstanceOf(ClientError)
    expect(everything(error)).not.toContain(secret)
  })

  /** All texts that can be reached from a value, headers included. */
  function everything(value: unknown, seen = new Set<unknown>()): string {
    if (typeof value !== 'object' || value === null) return String(value)
    if (seen.has(value)) return ''
    seen.add(value)
    const headers = value instanceof Headers ? [...value].flat() : []
    const own = Reflect.ownKeys(value).map((key) => Reflect.get(value, key) as unknown)
    const request = value instanceof Request ? [value.headers] : []
    return [...headers, ...own, ...request].map((part) => everything(part, seen)).join('\n')
  }
})

describe('an abort', () => {
  const never = <R>() => new Promise<R>(() => {})
  const reason = new Error('the attempt took too long')

  it.each([
    ['while the token is asked for', { token: () => never<string>() }],
    ['while the headers are asked for', { headers: () => never<HeadersInit>() }],
    ['while a fetch hangs that ignores it', { fetch: () => never<Response>() }],
    [
      'while a body trickles in that ignores it',
      {
        fetch: () =>
          Promise.resolve(new Response(new ReadableStream(), { headers: { 'content-type': 'application/json' } })),
      },
    ],
    [
      'while a schema thinks',
      {
        fetch: () => Promise.resolve(Response.json(note)),
        schema: { '~standard': { version: 1, vendor: 'test', validate: () => never<{ value: Note }>() } } as const,
      },
    ],
  ])('%s ends it with the reason of the signal', async (_, options) => {
    const own = restStrategy<Note>({ url: notesUrl, ...options })
    for (const begin of [own.persistCreate, own.persistUpdate, own.reconcile]) {
      const controller = new AbortController()
      const error = thrown(begin?.(entity(note), attemptWith({ signal: controller.signal })) ?? [])
      await turn()
      controller.abort(reason)
      expect(await error).toBe(reason)
    }
  })

  it('before it begins asks for nothing and sends nothing', async () => {
    const requests = recorded()
    let asked = false
    const token = () => {
      asked = true
      return 't'
    }
    const attempt = attemptWith({ signal: AbortSignal.abort(reason) })
    expect(await thrown(restStrategy<Note>({ url: notesUrl, token }).persistDelete('n1', 'note', attempt))).toBe(reason)
    expect(asked).toBe(false)
    expect(requests).toEqual([])
  })

  it('while the token is asked for sends nothing when the token comes after all', async () => {
    const requests = recorded()
    const token = new Subject<string>()
    const controller = new AbortController()
    const own = restStrategy<Note>({ url: notesUrl, token: () => firstValueFrom(token) })
    const error = thrown(own.persistUpdate(entity(note), attemptWith({ signal: controller.signal })))
    controller.abort(reason)
    token.next('late')
    expect(await error).toBe(reason)
    await turn()
    expect(requests).toEqual([])
  })

  it('that is not of its signal is the network', async () => {
    const own = restStrategy<Note>({
      url: notesUrl,
      fetch: () => Promise.reject(new DOMException('gone', 'AbortError')),
    })
    expect(await thrown(own.persistUpdate(entity(note), attemptWith()))).toBeInstanceOf(NetworkError)
  })

  const turn = () => new Promise((resolve) => setImmediate(resolve))
})
