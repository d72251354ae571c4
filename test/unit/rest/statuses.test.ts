import { http, HttpResponse } from 'msw'
import {
  AuthError,
  ClientError,
  ConflictError,
  NetworkError,
  PermanentError,
  RateLimitError,
  ServerError,
  TimeoutError,
} from 'rx-outbox'
import { describe, expect, it } from 'vitest'
import { restStrategy } from '../../../strategies/rest.ts'
import { attemptWith, entity, mockedRemote, note, type Note, notesUrl, noteUrl, outcome, thrown } from './support.ts'

const remote = mockedRemote()
const strategy = restStrategy<Note>({ url: notesUrl })

const create = (attempt = attemptWith()) => strategy.persistCreate(entity(note), attempt)
const update = (attempt = attemptWith()) => strategy.persistUpdate(entity(note), attempt)
const remove = (attempt = attemptWith()) => strategy.persistDelete('n1', 'note', attempt)
const writes = { create, update, delete: remove }
const operations = ['create', 'update', 'delete'] as const

function answerAll(answer: () => Response) {
  remote.use(
    http.post(notesUrl, answer),
    http.put(noteUrl, answer),
    http.delete(noteUrl, answer),
    http.get(noteUrl, answer),
  )
}

const answered = (status: number, init: ResponseInit = {}) => new HttpResponse(null, { ...init, status })

describe('a refusing status', () => {
  it.each([
    [400, ClientError, 'client'],
    [401, AuthError, 'auth'],
    [402, ClientError, 'client'],
    [403, ClientError, 'client'],
    [405, ClientError, 'client'],
    [408, TimeoutError, 'timeout'],
    [409, ClientError, 'client'],
    [412, ConflictError, 'conflict'],
    [413, ClientError, 'client'],
    [415, ClientError, 'client'],
    [418, ClientError, 'client'],
    [422, ClientError, 'client'],
    [425, ClientError, 'client'],
    [428, ClientError, 'client'],
    [429, RateLimitError, 'rate-limit'],
    [500, ServerError, 'server'],
    [501, ServerError, 'server'],
    [502, ServerError, 'server'],
    [503, ServerError, 'server'],
    [504, ServerError, 'server'],
    [511, NetworkError, 'network'],
    [599, ServerError, 'server'],
  ])('%i is a %O of every write', async (status, errorClass, category) => {
    answerAll(() => answered(status))
    for (const operation of operations) {
      const error = await thrown(writes[operation]())
      expect(error).toBeInstanceOf(errorClass)
      expect(error).toMatchObject({ status, category })
    }
  })

  it.each([404, 410])('%i means that a delete is done, and is an error of a create', async (status) => {
    answerAll(() => answered(status))
    expect(await outcome(remove())).toEqual({})
    const error = await thrown(create())
    expect(error).toBeInstanceOf(ClientError)
    expect(error).toMatchObject({ status })
  })

  it('404 of an update is an error: the address may be wrong; 410 says that the entity was deleted', async () => {
    answerAll(() => answered(404))
    expect(await thrown(update())).toMatchObject({ category: 'client', status: 404, remote: undefined })
    answerAll(() => answered(410))
    const error = await thrown(update())
    expect(error).toBeInstanceOf(ConflictError)
    expect(error).toMatchObject({ status: 410, remote: null })
  })

  it('is the same with HTML or with malformed JSON below it', async () => {
    answerAll(() => HttpResponse.html('<h1>Bad gateway</h1>', { status: 502 }))
    expect(await thrown(update())).toBeInstanceOf(ServerError)
    answerAll(() => new HttpResponse('{', { status: 422, headers: { 'content-type': 'application/json' } }))
    expect(await thrown(update())).toMatchObject({ category: 'client', status: 422 })
  })

  it('says what was asked and what was answered, and nothing of the body', async () => {
    answerAll(() => HttpResponse.json({ title: 'the body' }, { status: 422 }))
    expect(await thrown(update())).toHaveProperty('message', 'PUT /notes/n1 was answered with 422')
  })
})

describe('Retry-After', () => {
  it.each([429, 503, 409])('comes with a %i, in milliseconds', async (status) => {
    answerAll(() => answered(status, { headers: { 'retry-after': '7' } }))
    expect(await thrown(update())).toHaveProperty('retryAfter', 7_000)
  })

  it('that is garbage is no wait', async () => {
    answerAll(() => answered(429, { headers: { 'retry-after': 'soon' } }))
    expect(await thrown(update())).toMatchObject({ category: 'rate-limit', retryAfter: undefined })
  })
})

describe('a conflict', () => {
  const theirs = { _id: 'b1', id: 'n1', title: 'Bread' }

  it.each([409, 412])('%i shows what the remote holds', async (status) => {
    for (const body of [{ current: theirs }, { remote: theirs }]) {
      answerAll(() => HttpResponse.json(body, { status }))
      for (const operation of operations) {
        const error = await thrown(writes[operation]())
        expect(error).toBeInstanceOf(ConflictError)
        expect(error).toMatchObject({ status, remote: theirs })
      }
    }
  })

  it('may be told in problem+json', async () => {
    const headers = { 'content-type': 'application/problem+json; charset=utf-8' }
    answerAll(() => new HttpResponse(JSON.stringify({ current: theirs }), { status: 412, headers }))
    expect(await thrown(update())).toMatchObject({ category: 'conflict', remote: theirs })
  })

  it('says `null` when the remote holds nothing any more; a delete is done then', async () => {
    answerAll(() => HttpResponse.json({ current: null }, { status: 412 }))
    expect(await thrown(update())).toMatchObject({ category: 'conflict', remote: null })
    expect(await outcome(remove())).toEqual({})
  })

  it('is read by the reader that was configured', async () => {
    answerAll(() => HttpResponse.json({ theirs }, { status: 409 }))
    const own = restStrategy<Note>({ url: notesUrl, remoteOf: ({ body }) => (body as { theirs: unknown }).theirs })
    expect(await thrown(own.persistUpdate(entity(note), attemptWith()))).toMatchObject({ remote: theirs })
  })

  it('of a 412 that shows nothing is asked for', async () => {
    answerAll(() => answered(412))
    remote.use(http.get(noteUrl, () => HttpResponse.json(theirs, { headers: { etag: '"8"' } })))
    for (const operation of ['update', 'delete'] as const) {
      const error = await thrown(writes[operation](attemptWith({ version: '3' })))
      expect(error).toBeInstanceOf(ConflictError)
      expect(error).toMatchObject({ status: 412, remote: theirs, version: '8' })
    }
    remote.use(http.get(noteUrl, () => answered(404)))
    expect(await thrown(update())).toMatchObject({ category: 'conflict', remote: null })
    expect(await outcome(remove())).toEqual({})
    const put = restStrategy<Note>({ url: notesUrl, methods: { create: 'PUT' } })
    expect(await thrown(put.persistCreate(entity(note), attemptWith()))).toMatchObject({ status: 412, remote: null })
  })

  it('of a 412 that shows nothing is persisted, when the remote turns out to hold what was sent', async () => {
    answerAll(() => answered(412))
    remote.use(http.get(noteUrl, () => HttpResponse.json({ _id: 'b1', ...note }, { headers: { etag: '"8"' } })))
    expect(await outcome(update())).toEqual({ backendId: 'b1', version: '8' })
  })

  it.each([
    ['refused', () => answered(403)],
    ['answered with nothing', () => answered(204)],
    ['answered with HTML', () => HttpResponse.html('<h1>Log in</h1>')],
    ['not answered', () => HttpResponse.error()],
  ])('shows nothing where the question is %s', async (_, answer) => {
    answerAll(() => answered(412))
    remote.use(http.get(noteUrl, answer))
    expect(await thrown(update())).toMatchObject({ category: 'conflict', status: 412, remote: undefined })
  })

  it('is none while the key is outstanding: a 409 that shows nothing', async () => {
    answerAll(() => HttpResponse.json({ detail: 'still running' }, { status: 409 }))
    const error = await thrown(create())
    expect(error).toBeInstanceOf(ClientError)
    expect(error).toMatchObject({ status: 409, message: expect.stringContaining('key is outstanding') })
  })

  it('is not believed when what it shows cannot be read', async () => {
    answerAll(() => new HttpResponse('{"current":', { status: 412, headers: { 'content-type': 'application/json' } }))
    expect(await thrown(update())).toBeInstanceOf(ServerError)
  })

  it('takes nothing inherited for what the remote holds', async () => {
    const body = '{"__proto__":{"current":{"title":"Bread"}}}'
    answerAll(() => new HttpResponse(body, { status: 409, headers: { 'content-type': 'application/json' } }))
    expect(await thrown(update())).toMatchObject({ category: 'client', remote: undefined })
  })
})

describe('`permanent`', () => {
  const final = restStrategy<Note>({ url: notesUrl, permanent: [404, 412, 422] })

  it('ends the statuses that it names, with the category that they have anyway', async () => {
    answerAll(() => answered(422))
    const error = await thrown(final.persistUpdate(entity(note), attemptWith()))
    expect(error).toBeInstanceOf(PermanentError)
    expect(error).toMatchObject({ status: 422, category: 'client' })
    answerAll(() => HttpResponse.json({ current: { title: 'Bread' } }, { status: 412 }))
    expect(await thrown(final.persistUpdate(entity(note), attemptWith()))).toMatchObject({
      name: 'PermanentError',
      category: 'conflict',
      remote: { title: 'Bread' },
    })
  })

  it('leaves the others, and a delete of what is gone', async () => {
    answerAll(() => answered(400))
    expect(await thrown(final.persistUpdate(entity(note), attemptWith()))).not.toBeInstanceOf(PermanentError)
    answerAll(() => answered(404))
    expect(await outcome(final.persistDelete('n1', 'note', attemptWith()))).toEqual({})
  })
})

describe('something else than the server', () => {
  it('is suspected in HTML with a success: a captive portal', async () => {
    answerAll(() => HttpResponse.html('<form>Log in to the train</form>'))
    for (const operation of operations) expect(await thrown(writes[operation]())).toBeInstanceOf(NetworkError)
  })

  it.each([301, 302, 303, 307, 308])('is suspected in a redirect, a %i, which is not followed', async (status) => {
    let followed = 0
    remote.use(
      http.all('http://elsewhere.test/', () => {
        followed += 1
        return HttpResponse.json({})
      }),
    )
    answerAll(() => answered(status, { headers: { location: 'http://elsewhere.test/' } }))
    for (const operation of operations) {
      expect(await thrown(writes[operation]())).toMatchObject({ category: 'network' })
    }
    expect(followed).toBe(0)
  })

  it('is suspected when a fetch that was handed in followed a redirect', async () => {
    const followed = Object.defineProperty(Response.json({}), 'redirected', { value: true })
    const naive = restStrategy<Note>({ url: notesUrl, fetch: () => Promise.resolve(followed) })
    expect(await thrown(naive.persistUpdate(entity(note), attemptWith()))).toBeInstanceOf(NetworkError)
  })

  it('or nothing at all is a network error, whatever the runtime calls it', async () => {
    answerAll(() => HttpResponse.error())
    expect(await thrown(update())).toBeInstanceOf(NetworkError)
    const odd = restStrategy<Note>({ url: notesUrl, fetch: () => Promise.reject(new TypeError('the wire is wet')) })
    expect(await thrown(odd.persistUpdate(entity(note), attemptWith()))).toBeInstanceOf(NetworkError)
  })

  it('says what it is when the fetch that was handed in knows it', async () => {
    const busy = new TimeoutError('the gateway gave up')
    const own = restStrategy<Note>({ url: notesUrl, fetch: () => Promise.reject(busy) })
    expect(await thrown(own.persistUpdate(entity(note), attemptWith()))).toBe(busy)
  })
})
