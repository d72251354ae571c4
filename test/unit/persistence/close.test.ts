import { ClosedError, createEventBus, memoryStore } from 'rx-outbox'
import { describe, expect, test, vi } from 'vitest'
import { hour, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { type Entities, open } from '../../support/opened.ts'
import { accepts, hangs, inTurn, note, Remote } from '../../support/remote.ts'

useFakeTime()

describe('close', () => {
  test('aborts attempts, and ignores what they say afterwards', async () => {
    let answer: (receipt: object) => void = () => undefined
    const remote = new Remote(() => new Promise((done) => void (answer = done)))
    const persistence = open(remote)
    const results: unknown[] = []
    persistence.results$.subscribe((result) => results.push(result))
    const receipt = persistence.created('note', note('n1'))
    await now()
    const closed = persistence.close()
    expect(remote.calls[0]?.attempt.signal.aborted).toBe(true)
    answer({})
    await closed
    await now()
    expect(results).toEqual([])
    expect(await receipt.settled).toEqual({ status: 'closed' })
  })

  test('writes what was taken in before', async () => {
    const storage = memoryStore()
    const first = open(new Remote(hangs), { storage })
    const receipt = first.created('note', note('n1'))
    first.bus.emit('entity:created', { entityType: 'note', data: note('n2') })
    await first.close()
    await receipt.durable
    expect(await receipt.settled).toEqual({ status: 'closed' })
    const remote = new Remote()
    open(remote, { storage })
    await now()
    expect(remote.log).toEqual(['create n1 text', 'create n2 text'])
  })

  test('writes what ended before, so that it is not sent again', async () => {
    const storage = memoryStore()
    const remote = new Remote()
    const first = open(remote, { storage })
    const receipt = first.created('note', note('n1'))
    await receipt.settled
    await first.close()
    open(remote, { storage })
    await pass(hour)
    expect(remote.calls).toHaveLength(1)
  })

  test('rejects durable with ClosedError where nothing could be stored any more', async () => {
    const storage = memoryStore()
    storage.read = () => Promise.reject(new Error('no disk'))
    const persistence = open(new Remote(), { storage })
    const receipt = persistence.created('note', note('n1'))
    await now()
    await persistence.close()
    await expect(receipt.durable).rejects.toThrow(ClosedError)
    expect(await receipt.settled).toEqual({ status: 'closed' })
  })

  test('completes all streams, the state streams with what is at the end', async () => {
    const persistence = open(new Remote())
    const { results$, queue$, dead$, status$, errors$ } = persistence
    const completed: string[] = []
    const phases: string[] = []
    for (const [name, stream$] of Object.entries({ results$, queue$, dead$, errors$ })) {
      stream$.subscribe({ complete: () => completed.push(name) })
    }
    persistence.metadata$('note', 'n1').subscribe({ complete: () => completed.push('metadata$') })
    status$.subscribe({ next: ({ phase }) => phases.push(phase), complete: () => completed.push('status$') })
    await now()
    await persistence.close()
    expect(completed.sort()).toEqual(['dead$', 'errors$', 'metadata$', 'queue$', 'results$', 'status$'])
    expect(phases).toEqual(['opening', 'running', 'closed'])
  })

  test('leaves no timer behind', async () => {
    const remote = new Remote(inTurn(hangs, accepts))
    const persistence = open(remote, { quiet: 1_000 })
    persistence.created('note', note('n1'), { maxAge: hour })
    persistence.created('tag', note('t1'))
    await pass(2_000)
    persistence.queue$.subscribe()
    await persistence.close()
    await persistence.pause()
    await persistence.resume()
    await persistence.authorized('note')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('may be called twice, and from within a handler', async () => {
    const persistence = open(new Remote())
    let closed: Promise<void> | undefined
    persistence.bus.on('entity:persisted', () => void (closed = persistence.close()))
    persistence.created('note', note('n1'))
    persistence.created('note', note('n2'))
    await now()
    expect(closed).toBeDefined()
    expect(persistence.close()).toBe(closed)
    await closed
  })

  test('while it is still opening', async () => {
    const storage = memoryStore()
    const first = open(new Remote(), { storage })
    const receipt = first.created('note', note('n1'))
    await first.close()
    await receipt.durable
    const early = open(new Remote(hangs), { storage })
    await early.close()
    const remote = new Remote()
    open(remote, { storage })
    await now()
    expect(remote.log).toEqual(['create n1 text'])
  })
})

describe('after close', () => {
  test('the direct door and commands say so', async () => {
    const persistence = open(new Remote())
    await persistence.close()
    expect(() => persistence.created('note', note('n1'))).toThrow(ClosedError)
    await expect(persistence.retry('x')).rejects.toThrow(ClosedError)
    await expect(persistence.discardAll()).rejects.toThrow(ClosedError)
    await expect(persistence.metadata('note')).rejects.toThrow(ClosedError)
    await persistence.idle()
  })

  test('the bus keeps what is emitted for the next outbox', async () => {
    const bus = createEventBus<Entities>()
    const first = open(new Remote(), { bus })
    await first.close()
    bus.emit('entity:created', { entityType: 'note', data: note('n1') })
    const remote = new Remote()
    open(remote, { bus })
    await now()
    expect(remote.log).toEqual(['create n1 text'])
  })

  test('an attempt that ignored its signal writes nothing any more', async () => {
    const storage = memoryStore()
    let saved: Promise<void> | undefined
    const remote = new Remote(
      ({ attempt }) =>
        new Promise(() => {
          setTimeout(() => {
            saved = attempt.saveProgress('late')
            saved.catch(() => undefined)
          }, 1_000)
        }),
    )
    const persistence = open(remote, { storage })
    persistence.created('note', note('n1'))
    await now()
    await persistence.close()
    let groups = 0
    const append = storage.append
    storage.append = (...args) => (groups++, append(...args))
    await pass(hour)
    expect(groups).toBe(0)
    await expect(saved).rejects.toThrow(ClosedError)
  })
})
