import { ServerError } from 'rx-outbox'
import { afterEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { createTrials, type Trials } from '../../strategies/crdt/trials.ts'
import { crowdedUpdate, largeUpdate } from '../support/crdt/crowdedUpdate.ts'

let trials: Trials | undefined

afterEach(() => trials?.close())

test('an update that takes too long is refused, and the page goes on meanwhile', async () => {
  trials = createTrials({ limits: { maxTime: 300 } })
  const doc = new Y.Doc()
  const update = crowdedUpdate(12_000)
  let ticks = 0
  const ticking = setInterval(() => ticks++, 1)
  await expect(trials.examine(doc, update)).rejects.toThrow(
    new ServerError('A foreign update was refused: it takes more than 300 ms to apply'),
  )
  clearInterval(ticking)
  expect(ticks).toBeGreaterThan(0)
  expect(readable(doc)).toEqual({})
  // The next one has a worker again.
  expect(await trials.examine(doc, largeUpdate(2_000))).toMatchObject({ is: 'alive' })
})

test('a large update is looked at in a worker, and says what the document would hold', async () => {
  trials = createTrials({ limits: {} })
  const doc = new Y.Doc()
  const examined = trials.examine(doc, largeUpdate(3_000))
  expect(examined).toBeInstanceOf(Promise)
  const state = await examined
  expect(state.is === 'alive' && Object.keys(state.data).length).toBe(3_000)
  expect(readable(doc)).toEqual({})
})

test('what is wrong with one is said as it is said here', async () => {
  trials = createTrials({ limits: { maxDocumentBytes: 1_000 } })
  await expect(trials.examine(new Y.Doc(), largeUpdate(3_000))).rejects.toThrow('bytes in the document, 1000 at most')
})

test('an ordinary one is looked at here, at once', () => {
  trials = createTrials({ limits: {} })
  expect(trials.examine(new Y.Doc(), largeUpdate(10))).toMatchObject({ is: 'alive' })
})

test.each([
  ['there are none', () => undefined],
  ['theirs cannot be loaded', () => new Worker('/no-such-worker.js')],
])('where workers are wanted and %s, the update is looked at here', async (_, startWorker) => {
  const start = vi.fn<() => Worker | undefined>(startWorker)
  trials = createTrials({ limits: {}, start })
  expect(await trials.examine(new Y.Doc(), largeUpdate(3_000))).toMatchObject({ is: 'alive' })
  expect(await trials.examine(new Y.Doc(), largeUpdate(3_000))).toMatchObject({ is: 'alive' })
  expect(start).toHaveBeenCalledTimes(1)
})

test('a worker that is still being started when nobody needs it any more is ended', async () => {
  const ended = vi.fn<() => void>()
  trials = createTrials({
    limits: {},
    start() {
      const source = URL.createObjectURL(new Blob([`postMessage({ is: 'ready' })`]))
      const worker = new Worker(source)
      worker.terminate = ended
      return worker
    },
  })
  const examined = trials.examine(new Y.Doc(), largeUpdate(3_000))
  await Promise.resolve()
  trials.close()
  expect(await examined).toMatchObject({ is: 'alive' })
  expect(ended).toHaveBeenCalledTimes(1)
})

function readable(doc: Y.Doc): unknown {
  return doc.getMap('fields').toJSON()
}
