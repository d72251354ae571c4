import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import { classify } from 'rx-outbox'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import type { Database } from '../../../demo/server/database.ts'
import { crdtDatabase, crdtHost, token } from '../../support/crdt/crdtHost.ts'
import { attemptOf, type Card, Device, memoryStorage } from '../../support/crdt/device.ts'

let database: Database
let host: Awaited<ReturnType<typeof crdtHost>>
let devices: Device[] = []
let tests = 0

beforeAll(async () => {
  database = await crdtDatabase()
  // What the server says about devices that it cuts off.
  vi.spyOn(console, 'error').mockImplementation(() => {})
}, 120_000)

beforeEach(async () => {
  tests += 1
  host = await crdtHost(database, { limits: { maxBytes: 5_000, maxPendingBytes: 500, maxStructs: 100 } })
})

afterEach(async () => {
  for (const one of devices) one.close()
  devices = []
  await host.close()
})

afterAll(() => database.close())

const collection = () => `cards ${tests}`

function device(options: ConstructorParameters<typeof Device>[0] = {}): Device {
  const made = new Device({
    url: host.url,
    collection: collection(),
    token: () => token,
    WebSocketPolyfill: WebSocket,
    ...options,
  })
  devices.push(made)
  return made
}

/** A device that is told of changes, and has heard that it may pull. */
async function listening(): Promise<Device> {
  const made = device().listen()
  await made.hears((change) => 'hint' in change)
  await made.pull()
  return made
}

async function failure(work: Promise<unknown>) {
  return classify(
    await work.then(
      () => undefined,
      (error: unknown) => error,
    ),
  )
}

describe('devices on one server', () => {
  test('hear of what another one creates, changes and deletes', async () => {
    const [a, b] = [device(), await listening()]
    await a.save({ id: 'c1', title: 'Milk', body: 'two litres' })
    await b.hears((change) => 'data' in change && change.data.title === 'Milk')
    expect(b.rows.get('c1')).toEqual({ id: 'c1', title: 'Milk', body: 'two litres' })

    await a.save({ id: 'c1', title: 'Bread', body: 'two litres' })
    await b.hears((change) => 'data' in change && change.data.title === 'Bread')
    await a.remove('c1')
    await b.hears((change) => 'deleted' in change)
    expect(b.rows).toEqual(new Map())
  })

  test('that come later pull everything, page by page, and afterwards only what is new', async () => {
    const a = device()
    for (const id of ['c1', 'c2', 'c3', 'c/4 é', 'c5']) await a.save({ id, title: `title of ${id}` })
    await a.remove('c2')

    const b = device()
    await b.pull(2)
    expect([...b.rows.keys()].sort()).toEqual(['c/4 é', 'c1', 'c3', 'c5'])
    b.rows.clear()
    await a.save({ id: 'c3', title: 'changed' })
    await b.pull(2)
    expect([...b.rows.values()]).toEqual([{ id: 'c3', title: 'changed' }])
  })

  test('edit the same text apart, and keep the letters of all', async () => {
    const all = [device(), device(), device()]
    await all[0]?.save({ id: 'c1', body: 'one two three', title: 'start' })
    for (const one of all) await one.pull()
    await all[0]?.save({ id: 'c1', body: 'zero one two three', title: 'start' })
    await all[1]?.save({ id: 'c1', body: 'one two three four', title: 'start' })
    await all[2]?.save({ id: 'c1', body: 'one three', title: 'end' })
    for (const one of all) await one.pull()
    const merged = { id: 'c1', body: 'zero one three four', title: 'end' }
    expect(all.map((one) => one.rows.get('c1'))).toEqual([merged, merged, merged])
  })

  test('get a large card, which is looked at elsewhere first, and in their order the edits behind it', async () => {
    const roomy = await crdtHost(database)
    const [a, b] = [device({ url: roomy.url }), device({ url: roomy.url })]
    const fields = Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`field ${at}`, at]))
    await a.save({ id: 'c1', body: 'first', ...fields })
    const pulling = b.pull()
    await a.save({ id: 'c1', body: 'second', ...fields })
    await a.save({ id: 'c1', body: 'third', ...fields })
    await pulling
    await b.pull()
    expect(b.rows.get('c1')).toEqual({ id: 'c1', body: 'third', ...fields })
    for (const one of devices) one.close()
    await roomy.close()
  })

  test('are told of what came in beside their own edit', async () => {
    const [a, b] = [device(), await listening()]
    await a.save({ id: 'c1', body: 'text' })
    await b.hears((change) => 'data' in change)
    const seen = b.attempt('c1')
    await a.save({ id: 'c1', body: 'text of a' })
    // The app of b has typed before it heard of it.
    await b.send({ id: 'c1', body: 'b: text' }, false, seen)
    await b.hears((change) => 'data' in change && change.data.body === 'b: text of a')
    expect(b.rows.get('c1')).toEqual({ id: 'c1', body: 'b: text of a' })
  })

  test('whose attempt was acknowledged and forgotten do not apply it twice', async () => {
    const a = device()
    await a.save({ id: 'c1', body: 'text' })
    const kept = new Map<string, unknown>()
    const attempt = () => attemptOf({ idempotencyKey: 'k', version: a.versions.get('c1') }, kept)
    const first = attempt()
    await a.send({ id: 'c1', body: 'text!' }, false, first)
    const other = device()
    await other.pull()
    await other.save({ id: 'c1', body: 'text!?' })

    // Restarted, without its copies; only the outbox knows of the task.
    const again = device()
    await again.send({ id: 'c1', body: 'text!' }, false, attemptOf({ ...first, attempt: 2, progress: kept.get('k') }))
    await again.pull()
    expect(again.rows.get('c1')).toEqual({ id: 'c1', body: 'text!?' })
  })

  test('with a wrong token are refused as not authorized, and go on with a right one', async () => {
    let shown = 'wrong'
    const a = device({ token: () => shown })
    expect(await failure(a.save({ id: 'c1' }))).toMatchObject({ category: 'auth' })
    shown = token
    await a.save({ id: 'c1' })
    const b = device()
    await b.pull()
    expect(b.rows.get('c1')).toEqual({ id: 'c1' })
  })

  test('are asked for the token of the owner whose task it is', async () => {
    const asked: string[] = []
    const a = device({
      token: (owner) => {
        asked.push(owner)
        return owner === 'ann' ? token : 'wrong'
      },
    })
    expect(await failure(a.save({ id: 'c1' }, { owner: 'bob' }))).toMatchObject({ category: 'auth' })
    await a.save({ id: 'c1' }, { owner: 'ann' })
    expect([...new Set(asked)]).toEqual(['bob', 'ann'])
  })

  test('refuse an entity that a document cannot hold, before anything is sent', async () => {
    const a = device()
    const card = { id: 'c1', due: new Date(0) } as Card
    expect(await failure(a.save(card))).toEqual({
      category: 'client',
      message: expect.stringContaining('due is a Date'),
    })
    const b = device()
    await b.pull()
    expect(b.rows.size).toBe(0)
  })
})

test('an attempt that is aborted lets go, and sends nothing when it was aborted before', async () => {
  const a = device({ token: () => new Promise(() => {}) })
  const controller = new AbortController()
  const saving = failure(a.save({ id: 'c1' }, { signal: controller.signal }))
  controller.abort(new Error('enough'))
  expect(await saving).toMatchObject({ message: 'enough' })
  expect(await failure(a.save({ id: 'c1' }, { signal: AbortSignal.abort(new Error('before')) }))).toMatchObject({
    message: 'before',
  })
})

test('without a server an attempt ends as not reached, and a device shows its copies', async () => {
  const storage = memoryStorage()
  const a = device({ storage })
  await a.save({ id: 'c1', title: 'Milk', body: 'text' })
  await host.close()
  a.close()

  const restarted = device({ storage })
  expect(await failure(restarted.save({ id: 'c2' }))).toMatchObject({ category: 'network' })
  await restarted.pull()
  expect(restarted.rows.get('c1')).toEqual({ id: 'c1', title: 'Milk', body: 'text' })
})

test('a server that is started again has every acknowledged edit, and the devices find it', async () => {
  const [a, b] = [device(), await listening()]
  await a.save({ id: 'c1', body: 'before' })
  await b.hears((change) => 'data' in change)
  await host.close()
  host = await crdtHost(database, { port: host.port })
  await expect
    .poll(() =>
      a.save({ id: 'c1', body: 'before and after' }).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true)
  await b.hears((change) => 'data' in change && change.data.body === 'before and after')
  const c = device()
  await c.pull()
  expect(c.rows.get('c1')).toEqual({ id: 'c1', body: 'before and after' })
})

describe('a hostile device', () => {
  /** What it sends goes by the provider itself, without this library. */
  async function send(doc: Y.Doc): Promise<unknown> {
    const socket = new HocuspocusProviderWebsocket({ url: host.url, WebSocketPolyfill: WebSocket })
    const provider = new HocuspocusProvider({
      websocketProvider: socket,
      name: `${collection()}/c1`,
      token,
      document: doc,
      awareness: null,
    })
    provider.attach()
    const end = await new Promise((resolve) => {
      provider.on('close', () => resolve('closed'))
      provider.on('unsyncedChanges', () => {
        if (provider.isSynced && !provider.hasUnsyncedChanges) resolve('accepted')
      })
    })
    provider.destroy()
    socket.destroy()
    return end
  }

  test.each([
    ['more bytes than one update may have', () => cardOf('x'.repeat(6_000))],
    ['more pieces than one update may have', () => piecesOf(200)],
    ['what builds on updates that never come', () => gapOf('x'.repeat(600))],
  ])('that sends %s is cut off, and the card stays as it is', async (_, hostile) => {
    const a = device()
    await a.save({ id: 'c1', body: 'text' })
    expect(await send(cardOf('short'))).toBe('accepted')
    expect(await send(hostile())).toBe('closed')
    await a.save({ id: 'c2', body: 'still works' })
    const b = device()
    await b.pull()
    expect(String(b.rows.get('c1')?.body).replace('short', '')).toBe('text')
    expect(b.rows.get('c2')).toEqual({ id: 'c2', body: 'still works' })
  })

  function cardOf(body: string): Y.Doc {
    const doc = new Y.Doc()
    doc.getText('text/body').insert(0, body)
    return doc
  }

  function piecesOf(count: number): Y.Doc {
    const doc = new Y.Doc()
    for (let at = 0; at < count; at += 1) doc.getMap('fields').set(`field ${at}`, at)
    return doc
  }

  function gapOf(body: string): Y.Doc {
    const whole = cardOf('beginning')
    const missing = Y.encodeStateVector(whole)
    whole.getText('text/body').insert(9, body)
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(whole, missing))
    return doc
  }
})

test('a page of another origin is not let in', async () => {
  const socket = new WebSocket(host.url, { origin: 'https://evil.example' })
  const end = await new Promise((resolve) => {
    socket.on('error', (error) => resolve(error.message))
    socket.on('open', () => resolve('open'))
  })
  expect(end).toBe('Unexpected server response: 403')
})
