import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { lockWrites } from '../../../demo/server/schema.ts'
import type { DemoServer } from '../../../demo/server/startDemoServer.ts'
import { appliedKeys, clientOf, startServer, withKey } from './support.ts'

// A database in WASM takes its time where other tests run beside it.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

let server: DemoServer
const send = clientOf(() => server.url)

beforeAll(async () => {
  server = await startServer()
})
beforeEach(() => send('POST', '/api/_reset'))
afterAll(() => server.close())

const milk = { id: 'n1', title: 'Milk', tags: ['t1'], done: { at: null, by: [1.5, 'é😀'] } }

describe('entities', () => {
  test('a create answers 201 with the entity, its backend id, its place and its version', async () => {
    const answer = await send('POST', '/api/notes', milk, { 'If-None-Match': '*' })
    const body = await answer.json()

    expect(answer.status).toBe(201)
    expect(body).toEqual({ ...milk, _id: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    expect(answer.headers.get('ETag')).toBe('"1"')
    expect(Date.parse(answer.headers.get('Date') ?? '')).not.toBeNaN()
    const there = await send('GET', answer.headers.get('Location') ?? '')
    expect(await there.json()).toEqual(body)
  })

  test('an entity is found by the client id and by the backend id', async () => {
    const { _id } = await (await send('POST', '/api/notes', milk)).json()

    for (const id of ['n1', _id]) {
      const answer = await send('GET', `/api/notes/${id}`)
      expect(answer.headers.get('ETag')).toBe('"1"')
      expect(await answer.json()).toMatchObject({ id: 'n1', _id })
    }
    expect((await send('GET', '/api/notes/n1', undefined, { 'If-None-Match': '"1"' })).status).toBe(304)
    expect((await send('GET', '/api/tags/n1')).status).toBe(404)
  })

  test('a second create of an id is refused with what is stored, unless it was deleted', async () => {
    const { _id } = await (await send('POST', '/api/notes', milk, withKey('a'))).json()

    const refused = await send('POST', '/api/notes', { id: 'n1', title: 'Other' }, withKey('b'))
    expect(refused.status).toBe(409)
    expect(refused.headers.get('Content-Type')).toBe('application/problem+json')
    expect(refused.headers.get('ETag')).toBe('"1"')
    expect(await refused.json()).toMatchObject({ type: 'urn:rx-outbox:already-exists', status: 409, current: milk })

    await send('DELETE', '/api/notes/n1')
    const again = await send('POST', '/api/notes', { id: 'n1', title: 'Other' }, withKey('c'))
    expect(again.status).toBe(201)
    expect(again.headers.get('ETag')).toBe('"3"')
    expect(await again.json()).toEqual({ id: 'n1', title: 'Other', _id })
  })

  test('an update replaces the whole, keeps the ids and counts the version up', async () => {
    const { _id } = await (await send('POST', '/api/notes', milk)).json()

    const answer = await send('PUT', `/api/notes/${_id}`, { title: 'Bread', _id: 'forged' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('ETag')).toBe('"2"')
    expect(await answer.json()).toEqual({ id: 'n1', title: 'Bread', _id })
    expect((await send('PUT', '/api/notes/n1', { id: 'n2' })).status).toBe(422)
    expect((await send('PUT', '/api/notes/n2', { id: 'n2' })).status).toBe(404)
  })

  test('If-Match lets the right version through and refuses a stale one with what is stored', async () => {
    await send('POST', '/api/notes', milk)

    expect((await send('PUT', '/api/notes/n1', { title: 'Two' }, { 'If-Match': '"1"' })).status).toBe(200)
    const stale = await send('PUT', '/api/notes/n1', { title: 'Three' }, { 'If-Match': '"1"' })
    expect(stale.status).toBe(412)
    expect(stale.headers.get('ETag')).toBe('"2"')
    expect(await stale.json()).toMatchObject({ type: 'urn:rx-outbox:stale-version', current: { title: 'Two' } })
    expect((await send('DELETE', '/api/notes/n1', undefined, { 'If-Match': '"1"' })).status).toBe(412)
    expect((await send('DELETE', '/api/notes/n1', undefined, { 'If-Match': '2' })).status).toBe(400)
    expect((await send('DELETE', '/api/notes/n1', undefined, { 'If-Match': '"1", "2"' })).status).toBe(204)
  })

  test('of 20 writers on one version exactly one gets through', async () => {
    await send('POST', '/api/notes', milk)

    // More than once: a pool of connections is only then filled, and the writers really race.
    for (const version of [1, 2, 3]) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          send(
            'PUT',
            '/api/notes/n1',
            { title: `by ${i}` },
            { 'If-Match': `"${version}"`, ...withKey(`${version}.${i}`) },
          ),
        ),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 19 }, () => 412)])
    }
    expect(await appliedKeys(send)).toHaveLength(4)
  })

  test('a deleted entity is gone for reading, updating and deleting', async () => {
    await send('POST', '/api/notes', milk)

    expect((await send('DELETE', '/api/notes/n1')).status).toBe(204)
    expect((await send('GET', '/api/notes/n1')).status).toBe(404)
    expect((await send('PUT', '/api/notes/n1', { title: 'x' })).status).toBe(404)
    expect((await send('DELETE', '/api/notes/n1')).status).toBe(404)
  })

  test('input that cannot be kept is refused by kind', async () => {
    const status = async (body: string, headers?: Record<string, string>) =>
      (await send('POST', '/api/notes', body, headers)).status

    expect(await status('{')).toBe(400)
    expect(await status('{"id":"a"}', { 'Content-Type': 'text/plain' })).toBe(415)
    expect(await status('[]')).toBe(422)
    expect(await status('{"title":"no id"}')).toBe(422)
    expect(await status('{"id":""}')).toBe(422)
    expect(await status('{"id":"a\\nb"}')).toBe(422)
    expect(await status('{"id":"a","title":"\\u0000"}')).toBe(422)
    expect(await status('{"id":"a","title":"\\ud800"}')).toBe(422)
    expect(await status(JSON.stringify({ id: 'a', title: 'x'.repeat(1024 * 1024) }))).toBe(413)
    expect(await status(JSON.stringify({ id: 'a', title: 'x'.repeat(1024 * 1023) }))).toBe(201)
  })

  test('a body that does not say how long it is has the same limit', async () => {
    const part = new TextEncoder().encode('x'.repeat(600 * 1024))
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(part)
        controller.enqueue(part)
        controller.close()
      },
    })
    const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, duplex: 'half' }
    expect((await fetch(`${server.url}/api/notes`, init)).status).toBe(413)
  })
})

describe('idempotency keys', () => {
  test('a repeated write gets the first answer again and is applied once', async () => {
    const requests: [string, string, unknown?][] = [
      ['POST', '/api/notes', milk],
      ['PUT', '/api/notes/n1', { title: 'Two' }],
      ['DELETE', '/api/notes/n1'],
    ]
    for (const [method, path, body] of requests) {
      const first = await send(method, path, body, withKey(method))
      const second = await send(method, path, body, withKey(method))

      expect(first.headers.get('Idempotency-Replayed')).toBeNull()
      expect(second.headers.get('Idempotency-Replayed')).toBe('true')
      expect(second.status).toBe(first.status)
      for (const name of ['ETag', 'Location', 'Content-Type']) {
        expect(second.headers.get(name)).toBe(first.headers.get(name))
      }
      expect(await second.text()).toBe(await first.text())
    }
    expect(await appliedKeys(send)).toEqual(['POST', 'PUT', 'DELETE'])
  })

  test('a key that stood for another method, path or body is refused', async () => {
    await send('POST', '/api/notes', milk, withKey('a'))

    const others: [string, string, unknown?][] = [
      ['POST', '/api/notes', { ...milk, title: 'Other' }],
      ['POST', '/api/tags', milk],
      ['PUT', '/api/notes/n1', milk],
      ['DELETE', '/api/notes/n1'],
    ]
    for (const [method, path, body] of others) {
      const answer = await send(method, path, body, withKey('a'))
      expect(answer.status).toBe(422)
      expect(await answer.json()).toMatchObject({ type: 'urn:rx-outbox:key-reused' })
    }
  })

  test('what was refused is judged anew under its key', async () => {
    await send('POST', '/api/notes', milk)
    expect((await send('POST', '/api/notes', milk, withKey('a'))).status).toBe(409)
    await send('DELETE', '/api/notes/n1')
    expect((await send('POST', '/api/notes', milk, withKey('a'))).status).toBe(201)
  })

  test('a key whose request is still running is refused without a current row', async ({ onTestFinished }) => {
    let release = () => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    onTestFinished(() => release())
    const held = server.database.transaction(async (sql) => {
      await sql.query(lockWrites)
      await released
    })
    const twins = [1, 2].map(() => send('POST', '/api/notes', milk, withKey('a')))

    const refused = await Promise.race(twins)
    expect(refused.status).toBe(409)
    expect(refused.headers.get('Retry-After')).toBe('1')
    const problem = await refused.json()
    expect(problem).toMatchObject({ type: 'urn:rx-outbox:key-in-use' })
    expect(problem).not.toHaveProperty('current')

    release()
    await held
    expect((await Promise.all(twins)).map(({ status }) => status).sort()).toEqual([201, 409])
  })

  test('a key that is no structured string is refused', async () => {
    for (const key of ['bare', '""', '"open', '"a", "b"', `"${'x'.repeat(256)}"`]) {
      const answer = await send('POST', '/api/notes', milk, { 'Idempotency-Key': key })
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({ type: 'urn:rx-outbox:malformed-key' })
    }
    expect(await appliedKeys(send)).toEqual([])
  })

  test('the journal tells each applied write, in order', async () => {
    const { _id } = await (await send('POST', '/api/notes', milk, withKey('a'))).json()
    await send('PUT', '/api/notes/n1', milk)

    const { applied } = await (await send('GET', '/api/_applied')).json()
    expect(applied).toMatchObject([
      { key: 'a', kind: 'note', entityId: 'n1', backendId: _id, operation: 'create', version: 1 },
      { key: null, kind: 'note', entityId: 'n1', backendId: _id, operation: 'update', version: 2 },
    ])
    expect(applied[0].bodyHash).toBe(applied[1].bodyHash)
    const { applied: later } = await (await send('GET', `/api/_applied?since=${applied[0].seq}`)).json()
    expect(later).toEqual([applied[1]])
  })
})

describe('changes', () => {
  const page = async (query: string) => (await send('GET', `/api/notes${query}`)).json()

  test('without a checkpoint there is everything alive', async () => {
    await send('POST', '/api/notes', milk)
    await send('POST', '/api/notes', { id: 'n2' })
    await send('DELETE', '/api/notes/n2')
    await send('POST', '/api/tags', { id: 't1' })

    const all = await page('')
    expect(all).toMatchObject({ changed: [{ id: 'n1', version: 1, data: milk }], deleted: [], more: false })
    expect(all.changed[0].backendId).toMatch(/^[0-9a-f-]{36}$/)
    expect(all.changed[0].data).toEqual(milk)
  })

  test('pages lead from a checkpoint to the end and skip nothing', async () => {
    const { checkpoint: start } = await page('')
    await Promise.all(Array.from({ length: 25 }, (_, i) => send('POST', '/api/notes', { id: `n${i}` })))
    await send('DELETE', '/api/notes/n7')
    await send('PUT', '/api/notes/n3', { title: 'late' })

    const changed: string[] = []
    const deleted: string[] = []
    let checkpoint = start
    let pages = 0
    for (let more = true; more; pages++) {
      const next = await page(`?since=${checkpoint}&limit=10`)
      changed.push(...next.changed.map(({ id }: { id: string }) => id))
      deleted.push(...next.deleted)
      ;({ checkpoint, more } = next)
    }
    expect(pages).toBe(3)
    expect(changed).toHaveLength(24)
    expect(new Set(changed).size).toBe(24)
    expect(changed.at(-1)).toBe('n3')
    expect(deleted).toEqual(['n7'])
    expect(await page(`?since=${checkpoint}`)).toEqual({ changed: [], deleted: [], checkpoint, more: false })
  })

  test('a checkpoint or limit of another form is refused', async () => {
    for (const query of ['?since=x', '?since=-1', '?limit=0', '?limit=1.5', '?limit=1001']) {
      expect((await send('GET', `/api/notes${query}`)).status).toBe(400)
    }
  })
})

test('a page of another origin gets nothing, and an unknown path is a problem', async () => {
  expect((await send('POST', '/api/_reset', undefined, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403)
  const unknown = await send('GET', '/api/nothing')
  expect(unknown.status).toBe(404)
  expect(unknown.headers.get('Content-Type')).toBe('application/problem+json')
})
