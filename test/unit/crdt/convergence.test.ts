import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryServer } from '../../support/crdt/memoryServer.ts'
import { OfflineDevice } from '../../support/crdt/offlineDevice.ts'

const ids = ['c1', 'c2']

/** Histories of several devices each. */
const numRuns = Number(process.env['HISTORIES'] ?? 300)

const step = fc.record({
  device: fc.nat({ max: 3 }),
  id: fc.constantFrom(...ids),
  place: fc.nat(),
  what: fc.oneof(
    { weight: 8, arbitrary: fc.constant('type' as const) },
    { weight: 3, arbitrary: fc.constant('erase' as const) },
    { weight: 2, arbitrary: fc.constant('tick' as const) },
    { weight: 1, arbitrary: fc.constant('remove' as const) },
    { weight: 8, arbitrary: fc.constant('deliver' as const) },
    { weight: 4, arbitrary: fc.constant('cut' as const) },
    { weight: 4, arbitrary: fc.constant('mend' as const) },
    { weight: 2, arbitrary: fc.constant('loseAnswer' as const) },
    { weight: 2, arbitrary: fc.constant('takeAside' as const) },
    { weight: 2, arbitrary: fc.constant('restart' as const) },
    { weight: 1, arbitrary: fc.constant('wipe' as const) },
  ),
})

type Step = (typeof step)['generate'] extends (...args: never) => { value: infer S } ? S : never

/** Lets everything that was begun come to rest; nothing here waits for a clock. */
async function rest(): Promise<void> {
  await new Promise((done) => {
    setImmediate(done)
  })
}

async function live(count: number, steps: Step[]) {
  const server = memoryServer()
  const devices = Array.from({ length: count }, (_, at) => new OfflineDevice(`device ${at}`, server.line()))
  const typed = new Map<string, string[]>(ids.map((id) => [id, []]))
  const erased = new Set<string>()
  const removed = new Set<string>()
  let wiped = false

  for (const [at, { device: index, id, place, what }] of steps.entries()) {
    const device = devices[index % count]
    if (!device) continue
    if (what === 'type') {
      // One letter, and none twice: of `<1>` before `<2>` nobody can tell which `<` was there before, and goes with it.
      const word = String.fromCharCode(0x4e00 + at)
      typed.get(id)?.push(word)
      device.save(id, (card) => {
        const words = wordsOf(card?.body)
        words.splice(place % (words.length + 1), 0, word)
        return { ...card, id, body: words.join('') }
      })
    } else if (what === 'erase' && device.rows.has(id)) {
      device.save(id, (card) => {
        const words = wordsOf(card?.body)
        for (const word of words.splice(place % (words.length + 1), 1)) erased.add(word)
        return { ...card, id, body: words.join('') }
      })
    } else if (what === 'tick' && device.rows.has(id)) {
      device.save(id, (card) => ({ ...card, id, done: place % 2 === 0 }))
    } else if (what === 'remove') {
      if (device.rows.has(id)) removed.add(id)
      device.remove(id)
    } else if (what === 'deliver') await device.deliver()
    else if (what === 'cut') device.line.cut()
    else if (what === 'mend') device.line.mend()
    else if (what === 'loseAnswer') device.line.loseAnswer()
    else if (what === 'takeAside') device.takeAside()
    else if (what === 'restart') device.restart()
    else if (what === 'wipe') {
      device.restart({ wiped: true })
      wiped = true
    }
    if (place % 3 === 0) await rest()
  }

  for (const { line } of devices) line.mend()
  const isWaiting = async () => {
    if (devices.some(({ waiting }) => waiting > 0)) return true
    // Who was started again last is told only now that it may have missed something.
    await rest()
    await rest()
    return devices.some(({ waiting }) => waiting > 0)
  }
  for (let round = 0; await isWaiting(); round += 1) {
    if (round > 200) throw new Error('It never ends')
    for (const device of devices) await device.deliver()
  }
  return { devices, typed, erased, removed, wiped }
}

function wordsOf(body = ''): string[] {
  return body.split('')
}

test(
  'after any history all devices are equal, and no word is lost, doubled or back again',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 4 }), fc.array(step, { maxLength: 40 }), async (count, steps) => {
        const { devices, typed, erased, removed, wiped } = await live(count, steps)
        const [first, ...others] = await Promise.all(devices.map((device) => device.pullAll()))
        for (const other of others) expect(other).toEqual(first)
        for (const device of devices) {
          // What came while tasks waited was put aside; it is the library's to hand it out again.
          device.takeAside()
          expect(device.shown()).toEqual(first)
          device.close()
        }
        for (const id of ids) {
          if (removed.has(id)) continue
          const words = wordsOf(first?.[id]?.body).sort()
          const kept = (typed.get(id) ?? []).filter((word) => !erased.has(word)).sort()
          // Without its copies a device can no longer tell what it saw being erased: such a word may come back.
          expect(wiped ? words.filter((word) => !erased.has(word)) : words).toEqual(kept)
        }
      }),
      { numRuns },
    )
  },
  numRuns * 400,
)
