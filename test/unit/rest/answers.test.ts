import { http, HttpResponse, type JsonBodyType } from 'msw'
import { NetworkError, ServerError, type StandardSchemaV1 } from 'rx-outbox'
import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { restStrategy } from '../../../strategies/rest.ts'
import { attemptWith, entity, mockedRemote, note, type Note, notesUrl, noteUrl, outcome, thrown } from './support.ts'

const remote = mockedRemote()
const strategy = restStrategy<Note>({ url: notesUrl })
const update = (by = strategy) => by.persistUpdate(entity(note), attemptWith())
const json = { 'content-type': 'application/json' }

function answer(body: JsonBodyType, init?: ResponseInit) {
  remote.use(http.put(noteUrl, () => HttpResponse.json(body, init)))
}

function answerRaw(body: BodyInit | null, init?: ResponseInit) {
  remote.use(http.put(noteUrl, () => new HttpResponse(body, init)))
}

describe('a receipt', () => {
  it('has the id, the version and the time of the server', async () => {
    const headers = { etag: '"3"', date: 'Sun, 06 Nov 1994 08:49:37 GMT' }
    answer({ _id: 'b1', ...note }, { headers })
    expect(await outcome(update())).toEqual({ backendId: 'b1', version: '3', syncedAt: 784_111_777_000 })
  })

  it.each([
    [{ _id: 'b1', id: 'n1' }, 'b1'],
    [{ id: 7 }, '7'],
    [{ _id: null, id: 'n1' }, 'n1'],
    [{ _id: '' }, undefined],
    [{ id: { $oid: 'b1' } }, undefined],
    [['n1'], undefined],
    ['n1', undefined],
    [null, undefined],
    [{}, undefined],
  ])('of %j has the id %j', async (body, backendId) => {
    answer(body)
    expect(await outcome(update())).toEqual(backendId === undefined ? {} : { backendId })
  })

  it('is empty for an empty answer, of whatever type', async () => {
    answerRaw(null, { status: 204 })
    expect(await outcome(update())).toEqual({})
    answerRaw('', { status: 200, headers: { 'content-type': 'text/html' } })
    expect(await outcome(update())).toEqual({})
  })

  it('of a delete has only the time: what it answers is no entity', async () => {
    remote.use(
      http.delete(noteUrl, () =>
        HttpResponse.json({ _id: 'b1' }, { headers: { date: 'Sun, 06 Nov 1994 08:49:37 GMT', etag: '"4"' } }),
      ),
    )
    expect(await outcome(strategy.persistDelete('n1', 'note', attemptWith()))).toEqual({ syncedAt: 784_111_777_000 })
  })

  it('is read by the readers that were configured', async () => {
    const own = restStrategy<Note>({
      url: notesUrl,
      idOf: ({ headers }) => headers.get('location')?.split('/').at(-1),
      versionOf: ({ body }) => (body as { revision: number }).revision,
    })
    answer({ revision: 4 }, { headers: { location: '/notes/b9' } })
    expect(await outcome(update(own))).toEqual({ backendId: 'b9', version: 4 })
  })
})

describe('a schema', () => {
  const schema = z.object({ id: z.string(), title: z.string() })

  it('makes the data of the receipt', async () => {
    answer({ _id: 'b1', ...note, added: true })
    expect(await outcome(update(restStrategy({ url: notesUrl, schema })))).toEqual({ backendId: 'b1', data: note })
  })

  it('may take its time', async () => {
    const slow: StandardSchemaV1<Note> = {
      '~standard': { version: 1, vendor: 'test', validate: () => Promise.resolve({ value: note }) },
    }
    answer({})
    expect(await outcome(update(restStrategy({ url: notesUrl, schema: slow })))).toEqual({ data: note })
  })

  it('that does not fit is an error of the server which names the field, not what it holds', async () => {
    answer({ id: 'n1', title: { secret: 'x' } })
    const error = await thrown(update(restStrategy({ url: notesUrl, schema })))
    expect(error).toBeInstanceOf(ServerError)
    expect(error).toHaveProperty('message', 'The answer to PUT /notes/n1 does not fit the schema at title')
  })

  it('has nothing to say of an empty answer', async () => {
    answerRaw(null, { status: 204 })
    expect(await outcome(update(restStrategy({ url: notesUrl, schema })))).toEqual({})
  })
})

describe('an answer is not believed', () => {
  it.each([
    ['of another type', 'OK', { 'content-type': 'text/plain' }],
    ['of a type that only begins like JSON', '{}', { 'content-type': 'application/jsonx' }],
    ['that is malformed', '{"id":', json],
    ['that is no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), json],
    ['that is nested beyond measure', '['.repeat(500_000), json],
  ])('%s', async (_, body, headers) => {
    answerRaw(body, { headers })
    expect(await thrown(update())).toBeInstanceOf(ServerError)
  })

  it('when it is larger than `maxBytes`; up to there it is', async () => {
    const ten = restStrategy<Note>({ url: notesUrl, maxBytes: 10 })
    answerRaw('{"id":"1"}', { headers: json })
    expect(await outcome(update(ten))).toEqual({ backendId: '1' })
    answerRaw('{"id":"12"}', { headers: json })
    expect(await thrown(update(ten))).toBeInstanceOf(ServerError)
  })

  it('and no more of it is read than that', async () => {
    let sent = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1_000
        controller.enqueue(new Uint8Array(1_000).fill(0x20))
      },
    })
    const limited = restStrategy<Note>({
      url: notesUrl,
      maxBytes: 10_000,
      fetch: () => Promise.resolve(new Response(endless, { headers: json })),
    })
    expect(await thrown(update(limited))).toBeInstanceOf(ServerError)
    expect(sent).toBeLessThan(15_000)
  })

  it('when it breaks off; that is the network', async () => {
    const cut = new ReadableStream({
      pull(controller) {
        controller.error(new TypeError('terminated'))
      },
    })
    const by = restStrategy<Note>({
      url: notesUrl,
      fetch: () => Promise.resolve(new Response(cut, { headers: json })),
    })
    expect(await thrown(update(by))).toBeInstanceOf(NetworkError)
  })

  it.each(['application/json', 'APPLICATION/JSON; charset=utf-8', 'application/vnd.api+json', 'application/hal+json'])(
    'only for its type: %s is JSON',
    async (type) => {
      answerRaw('{"id":1}', { headers: { 'content-type': type } })
      expect(await outcome(update())).toEqual({ backendId: '1' })
    },
  )
})

describe('a hostile answer', () => {
  it('cannot reach a prototype', async () => {
    answerRaw('{"id":"n1","__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}', { headers: json })
    const anything: StandardSchemaV1<Note> = {
      '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as Note }) },
    }
    const { data } = await outcome(update(restStrategy({ url: notesUrl, schema: anything }))).then(
      (receipt) => receipt ?? {},
    )
    expect(Object.keys(data ?? {})).toEqual(['id', 'constructor'])
    expect(Object.assign({}, data)).not.toHaveProperty('admin')
    expect({}).not.toHaveProperty('admin')
  })
})
