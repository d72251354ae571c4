import { createPersistence, type IncomingChange, memoryStore } from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { type DemoServer, startDemoServer } from '../../../demo/server/startDemoServer.ts'

interface Note {
  id: string
  title: string
}

let server: DemoServer

beforeAll(async () => {
  server = await startDemoServer({ port: 0, dataDir: 'memory://' })
}, 60_000)
afterAll(() => server.close())

function device() {
  const notes = new Map<string, string>()
  const errors: unknown[] = []
  const persistence = createPersistence<{ note: Note }>({
    strategies: { note: restStrategy<Note>({ url: `${server.url}/api/notes`, live: true }) },
    options: {
      storage: memoryStore(),
      snapshot: null,
      apply: {
        note(changes: readonly IncomingChange<Note>[]) {
          for (const { id, data } of changes) {
            if (data) notes.set(id, data.title)
            else notes.delete(id)
          }
        },
      },
    },
  })
  persistence.errors$.subscribe((error) => errors.push(error))
  onTestFinished(() => persistence.close())
  return { notes, errors, persistence }
}

test('what one device writes, another sees live, its deletes too; and what it writes on that carries the version', async () => {
  const [one, two] = [device(), device()]
  await Promise.all([one.persistence.pull('note'), two.persistence.pull('note')])
  one.persistence.created('note', { id: 'n1', title: 'Milk' })
  await vi.waitFor(() => expect(two.notes.get('n1')).toBe('Milk'), { timeout: 5_000 })
  expect(await two.persistence.updated('note', { id: 'n1', title: 'Bread' }).settled).toMatchObject({
    status: 'persisted',
    receipt: { version: '2' },
  })
  await vi.waitFor(() => expect(one.notes.get('n1')).toBe('Bread'), { timeout: 5_000 })
  two.persistence.deleted('note', 'n1')
  await vi.waitFor(() => expect(one.notes.has('n1')).toBe(false), { timeout: 5_000 })
  expect([...one.errors, ...two.errors]).toEqual([])
})

test('a connection that goes on from an event gets what it missed, and a server that closes ends it', async () => {
  const url = `${server.url}/api/tags`
  const post = (id: string) =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ id }) })
  await post('t1')
  const { checkpoint } = (await (await fetch(url)).json()) as { checkpoint: string }
  await post('t2')
  const response = await fetch(`${url}/changes`, { headers: { 'last-event-id': checkpoint } })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (!text.includes('data:')) text += (await reader?.read())?.value ?? ''
  expect(text).toMatch(/^: here\n\nid: \d+\ndata: \{"id":"t2",.*\}\n\n$/)
  expect((await fetch(`${url}/changes`, { headers: { 'last-event-id': 'x' } })).status).toBe(400)
  await server.close()
  while (!(await reader?.read())?.done);
})
