import { NetworkError } from 'rx-outbox'
import { describe, expect, test } from 'vitest'
import { allTogether, attemptWith, deviceIn } from '../../support/p2p/device.ts'
import { soon } from '../../support/p2p/soon.ts'
import { peerNetwork } from '../../support/p2p/peerNetwork.ts'
import { virtualTime } from '../../support/virtualTime.ts'

const milk = { id: 'n1', title: 'Milk' }

test('a task is persisted when another device has stored it', async () => {
  const network = peerNetwork()
  const [a, b] = [deviceIn(network, 'a'), deviceIn(network, 'b')]
  await a.write('create', milk)
  expect(b.storage.items.has('rx-outbox-p2p/notes/document/n1')).toBe(true)
  expect(await b.notes()).toEqual({ n1: milk })
  expect(b.changes).toMatchObject([{ id: 'n1', data: milk }])
  expect(a.changes).toEqual([])
})

test('create, update and delete arrive, and what a receipt says fits the next write', async () => {
  const network = peerNetwork()
  const [a, b] = [deviceIn(network, 'a'), deviceIn(network, 'b')]
  const created = await a.write('create', milk)
  const updated = await a.write('update', { ...milk, title: 'Bread' }, created)
  expect(await b.notes()).toEqual({ n1: { id: 'n1', title: 'Bread' } })
  await a.write('delete', milk, updated)
  expect(await b.notes()).toEqual({})
  expect(b.changes.at(-1)).toEqual({ id: 'n1', deleted: true })
  expect(await a.notes()).toEqual({})
})

test('with acks 0 it is persisted when it is stored here, and offered to whoever comes', async () => {
  const network = peerNetwork()
  const a = deviceIn(network, 'a', { acks: 0 })
  await a.write('create', milk)
  expect(a.storage.items.has('rx-outbox-p2p/notes/document/n1')).toBe(true)
  const b = deviceIn(network, 'b')
  await soon(async () => expect(await b.notes()).toEqual({ n1: milk }))
})

test('with acks 2 one other device is not enough, and a second one that comes is', async () => {
  const network = peerNetwork()
  const [a, b] = [deviceIn(network, 'a', { acks: 2 }), deviceIn(network, 'b')]
  let isDone = false
  const written = a.write('create', milk).then(() => (isDone = true))
  await soon(() => expect(b.changes).toHaveLength(1))
  expect(isDone).toBe(false)
  const c = deviceIn(network, 'c')
  await written
  expect(await c.notes()).toEqual({ n1: milk })
})

test('two tabs of one device count as one', async () => {
  const network = peerNetwork()
  const [a, b] = [deviceIn(network, 'a', { acks: 2 }), deviceIn(network, 'b')]
  await allTogether(a, b)
  const controller = new AbortController()
  const written = a.write('create', milk, { signal: controller.signal })
  const secondTab = deviceIn(network, 'b2', { storage: b.storage })
  const ownTab = deviceIn(network, 'a2', { storage: a.storage })
  await soon(() => expect([secondTab.devices(), ownTab.devices()]).toEqual([1, 1]))
  controller.abort(new Error('enough'))
  await expect(written).rejects.toThrow('enough')
})

describe('while too few devices are there', () => {
  test('an attempt waits for them as long as its patience lasts, then fails as not reached', async () => {
    const time = virtualTime()
    const a = deviceIn(peerNetwork(), 'a', { scheduler: time.scheduler, patience: 10_000 })
    const outcome = a.write('create', milk).catch((error: unknown) => error)
    await time.pass(9_000)
    expect(await Promise.race([outcome, Promise.resolve('waits')])).toBe('waits')
    await time.pass(1_001)
    expect(await outcome).toBeInstanceOf(NetworkError)
    expect(await outcome).toMatchObject({ message: '1 other devices have to confirm, and 0 are here' })
  })

  test('the next attempts fail at once, and succeed when somebody is there', async () => {
    const time = virtualTime()
    const network = peerNetwork()
    const a = deviceIn(network, 'a', { scheduler: time.scheduler, patience: 10_000 })
    const attempt = attemptWith()
    const first = a.write('create', milk, attempt).catch((error: unknown) => error)
    await time.pass(10_001)
    expect(await first).toBeInstanceOf(NetworkError)
    await expect(a.write('create', milk, attempt)).rejects.toThrow(NetworkError)
    const b = deviceIn(network, 'b', { scheduler: time.scheduler })
    await allTogether(a, b)
    await a.write('create', milk, attempt)
    expect(await b.notes()).toEqual({ n1: milk })
  })

  test('what was tried is given to whoever comes, before the next attempt', async () => {
    const network = peerNetwork()
    const a = deviceIn(network, 'a', { patience: 0 })
    await expect(a.write('create', milk)).rejects.toThrow(NetworkError)
    const b = deviceIn(network, 'b')
    await soon(async () => expect(await b.notes()).toEqual({ n1: milk }))
  })
})

describe('an attempt', () => {
  test('whose signal is aborted already does nothing', async () => {
    const a = deviceIn(peerNetwork(), 'a', { acks: 0 })
    await expect(a.write('create', milk, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    expect(await a.notes()).toEqual({})
  })

  test('lets go when its signal is aborted', async () => {
    const a = deviceIn(peerNetwork(), 'a')
    const controller = new AbortController()
    const written = a.write('create', milk, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(written).rejects.toThrow('enough')
  })

  test('that is made again, also after a restart, changes nothing twice', async () => {
    const network = peerNetwork()
    const a = deviceIn(network, 'a', { patience: 0, text: ['body'] })
    const b = deviceIn(network, 'b', { text: ['body'] })
    await allTogether(a, b)
    const created = await a.write('create', { id: 'n1', body: 'one' })
    network.cut('a', 'b')
    const attempt = attemptWith(created)
    await expect(a.write('update', { id: 'n1', body: 'one two' }, attempt)).rejects.toThrow(NetworkError)
    a.leave()
    const again = deviceIn(network, 'a2', { storage: a.storage, text: ['body'] })
    await again.write('update', { id: 'n1', body: 'one two' }, { ...attempt, attempt: 2 })
    expect(await b.notes()).toEqual({ n1: { id: 'n1', body: 'one two' } })
    expect(await again.notes()).toEqual({ n1: { id: 'n1', body: 'one two' } })
  })

  test('that makes a document too large for peers fails for good, and changes nothing', async () => {
    const a = deviceIn(peerNetwork(), 'a', { acks: 0, limits: { maxDocumentBytes: 1_000 } })
    await expect(a.write('create', { id: 'n1', title: 'x'.repeat(2_000) })).rejects.toMatchObject({
      name: 'PermanentError',
    })
    expect(await a.notes()).toEqual({})
  })
})
