import { http, HttpResponse } from 'msw'
import { AuthError, type AttemptContext, NetworkError, ServerError } from 'rx-outbox'
import { expect, it } from 'vitest'
import { restStrategy } from '../../../strategies/rest.ts'
import { attemptWith, entity, mockedRemote, note, type Note, notesUrl, noteUrl, outcome, thrown } from './support.ts'

const remote = mockedRemote()
const strategy = restStrategy<Note>({ url: notesUrl })

function holds(answer: () => Response) {
  remote.use(http.get(noteUrl, answer), http.get(`${notesUrl}/b1`, answer))
}

const ask = (data: Note | undefined, parts: Partial<AttemptContext> = {}, by = strategy) =>
  outcome(by.reconcile?.(entity(data as Note), attemptWith(parts)) ?? [])

it('a write was applied when the remote holds what was sent', async () => {
  holds(() => HttpResponse.json({ _id: 'b1', ...note }, { headers: { etag: '"4"' } }))
  expect(await ask(note)).toEqual({ applied: true, receipt: { backendId: 'b1', version: '4' } })
  expect(await ask(note, { backendId: 'b1', version: '3' })).toMatchObject({ applied: true })
})

it.each([404, 410])('a write was not applied when nothing is there (%i), a delete was', async (status) => {
  holds(() => new HttpResponse(null, { status }))
  expect(await ask(note)).toEqual({ applied: false })
  expect(await ask(undefined)).toEqual({ applied: true })
})

it('a create cannot be looked for where local ids are unknown', async () => {
  holds(() => new HttpResponse(null, { status: 404 }))
  const own = restStrategy<Note>({ url: notesUrl, localIds: false })
  expect(await ask(note, {}, own)).toBe('unknown')
  expect(await ask(note, { backendId: 'b1' }, own)).toEqual({ applied: false })
})

it('a write was not applied while the remote has the version that it started from', async () => {
  holds(() => HttpResponse.json({ ...note, title: 'Bread' }, { headers: { etag: '"3"' } }))
  expect(await ask(note, { version: '3' })).toEqual({ applied: false })
  expect(await ask(note, { version: 3 })).toEqual({ applied: false })
  expect(await ask(undefined, { version: '3' })).toEqual({ applied: false })
})

it('otherwise nobody knows', async () => {
  holds(() => HttpResponse.json({ ...note, title: 'Bread' }, { headers: { etag: '"4"' } }))
  expect(await ask(note, { version: '3' })).toBe('unknown')
  expect(await ask(note)).toBe('unknown')
  expect(await ask(undefined, { version: '3' })).toBe('unknown')
  holds(() => new HttpResponse(null, { status: 204 }))
  expect(await ask(note)).toBe('unknown')
})

it('an answer that says nothing of the entity is an error, as it is of a write', async () => {
  const ofLook = (answer: () => Response) => {
    holds(answer)
    return thrown(ask(note))
  }
  expect(await ofLook(() => new HttpResponse(null, { status: 503 }))).toBeInstanceOf(ServerError)
  expect(await ofLook(() => new HttpResponse(null, { status: 401 }))).toBeInstanceOf(AuthError)
  expect(await ofLook(() => HttpResponse.html('log in'))).toBeInstanceOf(NetworkError)
})

it('a question carries the token but no key', async () => {
  const asked: Headers[] = []
  remote.use(
    http.get(noteUrl, ({ request }) => {
      asked.push(request.headers)
      return HttpResponse.json(note)
    }),
  )
  await ask(note, { version: '3' }, restStrategy<Note>({ url: notesUrl, token: () => 't' }))
  expect(asked[0]?.get('authorization')).toBe('Bearer t')
  expect(asked[0]?.has('idempotency-key')).toBe(false)
  expect(asked[0]?.has('if-match')).toBe(false)
})
