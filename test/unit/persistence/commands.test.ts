import { memoryStore } from 'rx-outbox'
import { describe, expect, test } from 'vitest'
import { hour, minute, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { network, open } from '../../support/opened.ts'
import { accepts, fails, hangs, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

const broken = fails(() => new Error('broken'))

describe('pause', () => {
  test('keeps everything until resume, and lets what is in flight finish', async () => {
    const remote = new Remote(inTurn(() => new Promise((done) => void setTimeout(() => done({}), minute)), accepts))
    const persistence = open(remote, { attemptTimeout: hour })
    const receipt = persistence.created('note', note('n1'))
    persistence.created('note', note('n2'))
    await now()
    await persistence.pause()
    const paused: boolean[] = []
    persistence.status$.subscribe((status) => paused.push(status.paused)).unsubscribe()
    expect(paused).toEqual([true])
    await pass(minute)
    expect(await receipt.settled).toMatchObject({ status: 'persisted' })
    await pass(hour)
    expect(remote.calls).toHaveLength(1)
    await persistence.resume()
    await now()
    expect(remote.calls).toHaveLength(2)
  })

  test('right at the start lets nothing go', async () => {
    const remote = new Remote()
    const persistence = open(remote)
    const paused = persistence.pause()
    persistence.created('note', note('n1'))
    await paused
    await pass(hour)
    expect(remote.calls).toEqual([])
  })
})

describe('flush', () => {
  test('makes waiting retries due at once, and counts them as they were', async () => {
    const remote = new Remote(inTurn(broken, broken, accepts))
    const persistence = open(remote)
    const receipt = persistence.created('note', note('n1'))
    await now()
    await persistence.flush()
    await now()
    await persistence.flush()
    await now()
    expect(remote.calls).toHaveLength(3)
    expect(await receipt.settled).toMatchObject({ status: 'persisted', task: { retryCount: 2 } })
  })

  test('sends nothing while offline or paused', async () => {
    const online$ = network(true)
    const remote = new Remote(broken)
    const persistence = open(remote, { online$ })
    persistence.created('note', note('n1'))
    await now()
    online$.next(false)
    await persistence.flush()
    await now()
    expect(remote.calls).toHaveLength(1)
    online$.next(true)
    await now()
    expect(remote.calls).toHaveLength(2)
  })
})

describe('idle', () => {
  test('resolves when nothing could go, nothing is in flight and all is written', async () => {
    const storage = memoryStore()
    const persistence = open(new Remote(), { storage })
    let groups = 0
    const append = storage.append
    storage.append = (...args) => (groups++, append(...args))
    persistence.created('note', note('n1'))
    await persistence.idle()
    const written = groups
    expect(written).toBeGreaterThan(1)
    await pass(hour)
    expect(groups).toBe(written)
  })

  test('resolves while offline, while paused, while retries wait, and while nothing was ever done', async () => {
    const online$ = network(false)
    const persistence = open(new Remote(broken), { online$ })
    await expect(persistence.idle()).resolves.toBeUndefined()
    persistence.created('note', note('n1'))
    await expect(persistence.idle()).resolves.toBeUndefined()
    online$.next(true)
    await expect(persistence.idle()).resolves.toBeUndefined()
    await persistence.pause()
    persistence.created('note', note('n2'))
    await expect(persistence.idle()).resolves.toBeUndefined()
  })

  test('waits for what is in flight', async () => {
    const persistence = open(new Remote(() => new Promise((done) => void setTimeout(() => done({}), minute))), {
      attemptTimeout: hour,
    })
    persistence.created('note', note('n1'))
    let isIdle = false
    void persistence.idle().then(() => (isIdle = true))
    await pass(minute - 1)
    expect(isIdle).toBe(false)
    await pass(100)
    expect(isIdle).toBe(true)
  })

  test('resolves for whoever still waits when it is closed', async () => {
    const persistence = open(new Remote(hangs))
    persistence.created('note', note('n1'))
    await now()
    const idle = persistence.idle()
    await persistence.close()
    await expect(idle).resolves.toBeUndefined()
  })
})

test('every member works detached from its object', async () => {
  const remote = new Remote()
  const { created, updated, deleted, pause, resume, flush, idle, metadata, metadata$, retryAll, discardAll, close } =
    open(remote)
  await pause()
  created('note', note('n1'))
  await resume()
  await idle()
  updated('note', note('n1', 'new'))
  await idle()
  deleted('note', 'n1')
  await flush()
  await idle()
  await retryAll()
  await discardAll()
  expect(await metadata('note', 'n1')).toBeUndefined()
  const seen: unknown[] = []
  metadata$('note', 'n1').subscribe((metadataOfNote) => seen.push(metadataOfNote))
  expect(seen).toEqual([undefined])
  expect(remote.log).toEqual(['create n1 text', 'update n1 new', 'delete n1'])
  await close()
})
