import type { ServerResponse } from 'node:http'
import { type Conflict, type ConflictResolver, createPersistence, localWins, memoryStore, remoteWins } from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'
import { expect, onTestFinished, test } from 'vitest'
import { serve } from '../../support/restServer.ts'
import type { Note } from './support.ts'

interface Row {
  version: number
  /** `undefined`: it was deleted. */
  data: Note | undefined
}

const first = { id: 'n1', title: 'a' }
const theirs = { id: 'n1', title: 'theirs' }
const mine = { id: 'n1', title: 'mine' }

/** A server of notes with versions; `isMute`: a refusal of it shows nothing. */
async function notesServer({ isMute = false } = {}) {
  const rows = new Map<string, Row>()
  const asked: string[] = []
  /** Resolves when an answer may go out. */
  let answering = Promise.resolve()

  function put(id: string, data: Note | undefined): Row {
    const row = { version: (rows.get(id)?.version ?? 0) + 1, data }
    rows.set(id, row)
    return row
  }

  function reply(response: ServerResponse, status: number, row?: Row, body?: unknown): void {
    const headers = { 'content-type': 'application/json', ...(row && { etag: `"${row.version}"` }) }
    const text = body === undefined ? '' : JSON.stringify(body)
    void answering.then(() => response.writeHead(status, text === '' && !row ? {} : headers).end(text))
  }

  function refuse(response: ServerResponse, status: number, row: Row): void {
    if (isMute) reply(response, status)
    else reply(response, status, row, { current: row.data ?? null })
  }

  const server = await serve(({ method = '', url = '', headers }, response, body) => {
    const condition = headers['if-match']
    asked.push([method, url, condition].filter(Boolean).join(' '))
    const data = body === '' ? undefined : (JSON.parse(body) as Note)
    const id = data?.id ?? url.split('/')[2] ?? ''
    const row = rows.get(id)
    if (method === 'POST' && row?.data) refuse(response, 409, row)
    else if (method === 'POST') reply(response, 201, put(id, data), data)
    else if (!row?.data) reply(response, row ? 410 : 404)
    else if (method === 'GET') reply(response, 200, row, row.data)
    else if (condition !== undefined && condition !== `"${row.version}"`) refuse(response, 412, row)
    else reply(response, method === 'DELETE' ? 204 : 200, put(id, data), data)
  })
  onTestFinished(server.close)
  return {
    url: `${server.url}/notes`,
    rows,
    asked,
    put,
    /** Keeps all answers back, until what it gives is called. */
    hold() {
      let release = () => {}
      answering = new Promise<void>((done) => (release = done))
      return () => release()
    },
  }
}

function openAt(url: string, resolver: ConflictResolver<Note>) {
  const seen: Conflict<Note>[] = []
  const persistence = createPersistence<{ note: Note }>({
    strategies: { note: restStrategy<Note>({ url, pull: false }) },
    options: {
      storage: memoryStore(),
      locks: null,
      conflict: { note: (conflict) => (seen.push(conflict), resolver(conflict)) },
    },
  })
  onTestFinished(() => persistence.close())
  return { persistence, seen }
}

/** The note is at the server as its first version. */
async function withNote(server: Awaited<ReturnType<typeof notesServer>>, resolver: ConflictResolver<Note>) {
  const opened = openAt(server.url, resolver)
  await opened.persistence.created('note', first).settled
  server.asked.length = 0
  return opened
}

test('a 412 that shows the remote is resolved, and what was decided goes out with the version it shows', async () => {
  const server = await notesServer()
  const { persistence, seen } = await withNote(server, localWins)
  server.put('n1', theirs)
  expect(await persistence.updated('note', mine).settled).toMatchObject({
    status: 'persisted',
    metadata: { version: '3' },
  })
  expect(server.asked).toEqual(['PUT /notes/n1 "1"', 'PUT /notes/n1 "2"'])
  expect(seen).toMatchObject([{ base: first, local: mine, remote: theirs }])
})

test('a 412 that shows nothing is resolved all the same: the remote is asked for', async () => {
  const server = await notesServer({ isMute: true })
  const { persistence, seen } = await withNote(server, localWins)
  server.put('n1', theirs)
  expect(await persistence.updated('note', mine).settled).toMatchObject({
    status: 'persisted',
    metadata: { version: '3' },
  })
  expect(server.asked).toEqual(['PUT /notes/n1 "1"', 'GET /notes/n1', 'PUT /notes/n1 "2"'])
  expect(seen).toMatchObject([{ base: first, local: mine, remote: theirs }])
})

test.each([false, true])('a delete of what was changed meanwhile is a conflict (mute: %s)', async (isMute) => {
  const server = await notesServer({ isMute })
  const { persistence, seen } = await withNote(server, remoteWins)
  server.put('n1', theirs)
  expect(await persistence.deleted('note', 'n1').settled).toMatchObject({ status: 'discarded' })
  expect(server.rows.get('n1')).toEqual({ version: 2, data: theirs })
  expect(seen).toMatchObject([{ operation: 'delete', base: first, local: undefined, remote: theirs }])
})

test('a create whose id is taken is a conflict; where the local side wins, it becomes an update', async () => {
  const server = await notesServer()
  server.put('n1', theirs)
  const { persistence, seen } = openAt(server.url, localWins)
  expect(await persistence.created('note', mine).settled).toMatchObject({
    status: 'persisted',
    metadata: { version: '2' },
  })
  expect(server.asked).toEqual(['POST /notes', 'PUT /notes/n1 "1"'])
  expect(seen).toMatchObject([{ operation: 'create', base: undefined, local: mine, remote: theirs }])
})

test('a 410 of an update says that the note was deleted; where the local side wins, it is made anew', async () => {
  const server = await notesServer()
  const { persistence, seen } = await withNote(server, localWins)
  server.put('n1', undefined)
  expect(await persistence.updated('note', mine).settled).toMatchObject({ status: 'persisted' })
  expect(server.asked).toEqual(['PUT /notes/n1 "1"', 'POST /notes'])
  expect(server.rows.get('n1')?.data).toEqual(mine)
  expect(seen).toMatchObject([{ base: first, local: mine, remote: undefined }])
})

test('every update and delete goes out with the version of the answer before it, also those that waited behind it', async () => {
  const server = await notesServer()
  const { persistence } = openAt(server.url, localWins)
  const { bus } = persistence
  const begun = () => new Promise<void>((done) => bus.on('queue:task-processing', () => done()))
  let processing = begun()
  const answer = server.hold()
  persistence.created('note', first)
  await processing
  const updated = persistence.updated('note', mine)
  await updated.durable
  processing = begun()
  answer()
  await processing
  const answerAgain = server.hold()
  const deleted = persistence.deleted('note', 'n1')
  await deleted.durable
  answerAgain()
  expect(await deleted.settled).toMatchObject({ status: 'persisted', sent: true })
  expect(server.asked).toEqual(['POST /notes', 'PUT /notes/n1 "1"', 'DELETE /notes/n1 "2"'])
})
