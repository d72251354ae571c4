import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { lockFolder } from '../../../demo/server/folderLock.ts'
import { type DemoServer, startDemoServer } from '../../../demo/server/startDemoServer.ts'
import { appliedKeys, clientOf, startServer, withKey } from './support.ts'

// A database in WASM takes its time where other tests run beside it.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

let folder: string
let server: DemoServer
let whileStarting: Promise<Response[]>
const steps: string[] = []
const send = clientOf(() => server.url)

/** On disk, with a built app of two files. */
function start(): Promise<DemoServer> {
  return startServer({
    dataDir: join(folder, 'data'),
    staticDir: join(folder, 'dist'),
    onListening: (url) => {
      const early = clientOf(() => url)
      whileStarting = Promise.all([early('GET', '/api/_health'), early('GET', '/api/notes'), early('GET', '/')])
    },
    onProgress: ({ step }) => steps.push(step),
  })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rx-outbox-'))
  await mkdir(join(folder, 'dist', 'assets'), { recursive: true })
  await writeFile(join(folder, 'dist', 'index.html'), '<title>demo</title>')
  await writeFile(join(folder, 'dist', 'assets', 'app-1.js'), 'run()')
  server = await start()
})
beforeEach(async () => {
  await send('PUT', '/api/_faults', {})
  await send('POST', '/api/_reset')
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

describe('starting', () => {
  test('while the database starts the page is served, health tells how far it is, and the rest has to wait', async () => {
    const [health, notes, page] = await whileStarting
    expect(health?.status).toBe(200)
    expect(await health?.json()).toMatchObject({
      ready: false,
      database: server.database.kind,
    })
    expect(notes?.status).toBe(503)
    expect(notes?.headers.get('Retry-After')).toBe('1')
    expect(await notes?.json()).toMatchObject({ type: 'urn:rx-outbox:starting' })
    expect(page?.status).toBe(200)
    expect(steps.length).toBeGreaterThan(1)
    expect(steps.at(-1)).toBe('ready')
    expect(await (await send('GET', '/api/_health')).json()).toMatchObject({ ready: true, progress: { done: 1 } })
  })

  test('a folder that another server holds is left alone', async () => {
    const dataDir = join(folder, 'held')
    const unlock = await lockFolder(dataDir)
    await expect(lockFolder(dataDir)).rejects.toThrow('in use')
    await expect(startDemoServer({ port: 0, dataDir })).rejects.toThrow('in use by another demo server')
    expect(await readdir(dataDir)).toEqual([])

    await unlock()
    await (
      await lockFolder(dataDir)
    )()
  })
})

describe('the built app', () => {
  test('paths without a file lead to its page, files to themselves', async () => {
    const asset = await send('GET', '/assets/app-1.js')
    expect(await asset.text()).toBe('run()')
    expect(asset.headers.get('Cache-Control')).toContain('immutable')
    for (const path of ['/', '/notes/n1']) {
      const page = await send('GET', path)
      expect(await page.text()).toBe('<title>demo</title>')
      expect(page.headers.get('Cache-Control')).toBe('no-cache')
    }
    expect((await send('GET', '/assets/gone.js')).status).toBe(404)
    expect((await send('GET', '/..%2f..%2fetc%2fpasswd')).headers.get('Content-Type')).not.toContain('octet')
  })
})

describe('faults', () => {
  test('they are set as a whole and checked', async () => {
    const set = await (await send('PUT', '/api/_faults', { errorRate: 0.5, seed: 1 })).json()
    expect(set).toMatchObject({ errorRate: 0.5, seed: 1, loseAnswers: 0, retryAfterSeconds: 5 })
    expect(await (await send('GET', '/api/_faults')).json()).toEqual(set)
    expect(await (await send('PUT', '/api/_faults', {})).json()).toMatchObject({ errorRate: 0 })
    for (const wrong of [{ errorRate: 2 }, { latency: 5 }, { rateLimited: 'yes' }]) {
      expect((await send('PUT', '/api/_faults', wrong)).status).toBe(422)
    }
  })

  test('401, 429 and a captive portal come over real HTTP and apply nothing', async () => {
    const create = () => send('POST', '/api/notes', { id: 'n1' }, withKey('a'))

    await send('PUT', '/api/_faults', { unauthorized: true })
    const unauthorized = await create()
    expect(unauthorized.status).toBe(401)
    expect(unauthorized.headers.get('WWW-Authenticate')).toContain('Bearer')

    await send('PUT', '/api/_faults', { rateLimited: true, retryAfterSeconds: 7 })
    const limited = await create()
    expect(limited.status).toBe(429)
    expect(limited.headers.get('Retry-After')).toBe('7')

    await send('PUT', '/api/_faults', { captivePortal: true })
    const portal = await create()
    expect(portal.status).toBe(200)
    expect(portal.headers.get('Content-Type')).toContain('text/html')

    expect(await appliedKeys(send)).toEqual([])
    await send('PUT', '/api/_faults', {})
    expect((await create()).status).toBe(201)
  })

  test('a share of the requests fails, and the same seed fails the same ones', async () => {
    const run = async () => {
      await send('PUT', '/api/_faults', { errorRate: 0.5, seed: 7 })
      const statuses: number[] = []
      for (let i = 0; i < 20; i++) statuses.push((await send('GET', '/api/tags')).status)
      return statuses
    }
    const first = await run()
    expect(new Set(first)).toEqual(new Set([200, 503]))
    expect(await run()).toEqual(first)
  })

  test('a write whose answer is lost is applied all the same', async () => {
    await send('PUT', '/api/_faults', { loseAnswers: 1 })
    await expect(send('POST', '/api/notes', { id: 'n1' }, withKey('a'))).rejects.toThrow('fetch failed')
    expect(await appliedKeys(send)).toEqual(['a'])
  })

  test('writes whose answers are lost are applied once, in order, however often they are sent', async () => {
    await send('PUT', '/api/_faults', { loseAnswers: 0.5, seed: 3 })
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
    let lost = 0
    for (const key of keys) {
      const attempt = () => send('POST', '/api/notes', { id: key }, withKey(key)).catch(() => undefined)
      let answer = await attempt()
      for (; !answer; answer = await attempt()) lost++
      expect(answer.status).toBe(201)
    }
    expect(lost).toBeGreaterThan(5)
    expect(await appliedKeys(send)).toEqual(keys)
  })

  test('while answers are lost no connection is used twice', async () => {
    await send('PUT', '/api/_faults', { loseAnswers: 0.01 })
    expect((await send('GET', '/api/notes')).headers.get('Connection')).toBe('close')
  })

  test('a slow request takes its time', async () => {
    await send('PUT', '/api/_faults', { latencyMs: 60 })
    const began = performance.now()
    await send('GET', '/api/notes')
    // Timers may fire up to a millisecond early.
    expect(performance.now() - began).toBeGreaterThan(59)
  })
})

describe('ending', () => {
  test('a restarted server knows rows, keys and the order of changes', async () => {
    const first = await send('POST', '/api/notes', { id: 'n1' }, withKey('a'))
    const body = await first.text()
    const { checkpoint } = await (await send('GET', '/api/notes?since=0')).json()

    await server.close()
    server = await start()

    const second = await send('POST', '/api/notes', { id: 'n1' }, withKey('a'))
    expect(second.headers.get('Idempotency-Replayed')).toBe('true')
    expect(await second.text()).toBe(body)
    expect(await appliedKeys(send)).toEqual(['a'])
    await send('POST', '/api/notes', { id: 'n2' })
    expect((await (await send('GET', `/api/notes?since=${checkpoint}`)).json()).changed).toMatchObject([{ id: 'n2' }])
  })

  test('closing does not wait for requests that are slow on purpose, and they are not applied', async () => {
    await send('PUT', '/api/_faults', { latencyMs: 60_000 })
    const twins = [1, 2].map(() => send('POST', '/api/notes', { id: 'n1' }, withKey('a')))
    // The one that is refused proves that the other one has arrived.
    expect((await Promise.race(twins)).status).toBe(409)

    await server.close()
    expect((await Promise.all(twins)).map(({ status }) => status).sort()).toEqual([409, 503])

    server = await start()
    expect(await appliedKeys(send)).toEqual([])
  })
})
