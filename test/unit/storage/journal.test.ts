import * as fc from 'fast-check'
import { StorageError } from 'rx-outbox'
import { beforeEach, describe, expect, test } from 'vitest'
import { decodeRecord } from '../../../lib/storage/codec.ts'
import { decodeGroups } from '../../../lib/storage/frame.ts'
import { createJournal, type Journal } from '../../../lib/storage/journal.ts'
import type { JournalStore } from '../../../lib/storage/journalStore.ts'
import { memoryStore } from '../../../lib/storage/memory.ts'
import type { JournalRecord, Progress } from '../../../lib/storage/records.ts'
import { type VirtualTime, virtualTime } from '../../support/virtualTime.ts'

const record = (lsn: number): Progress => ({ kind: 'progress', lsn, epoch: 1, task: lsn, data: 'null' })

/** A memory store whose writes take a moment that the test decides, and may fail. */
function heldStore() {
  const memory = memoryStore()
  const calls: { name: 'append' | 'replace'; lsns: number[]; end: (error?: Error) => void }[] = []
  const hold = (name: 'append' | 'replace', write: JournalStore['append']): JournalStore['append'] => {
    return async (space, journal, group) => {
      const failure = await new Promise<Error | undefined>((end) => calls.push({ name, lsns: lsnsOf([group]), end }))
      if (failure) throw failure
      await write(space, journal, group)
    }
  }
  const store: JournalStore = {
    ...memory,
    append: hold('append', memory.append),
    replace: hold('replace', memory.replace),
  }
  return { store, calls, lsns: async () => lsnsOf(await memory.read('s', 'j')) }
}

function lsnsOf(groups: Uint8Array[]): number[] {
  return decodeGroups(groups).lines.map((line) => decodeRecord(line)?.lsn ?? -1)
}

let time: VirtualTime
let held: ReturnType<typeof heldStore>
let troubles: (StorageError | undefined)[]
let rests: number
let journal: Journal

beforeEach(() => {
  time = virtualTime()
  held = heldStore()
  troubles = []
  rests = 0
  journal = open(held.store)
})

function open(store: JournalStore, size = 0): Journal {
  return createJournal({
    store,
    space: 's',
    name: 'j',
    scheduler: time.scheduler,
    size,
    trouble: (error) => troubles.push(error),
    stored: () => undefined,
    rested: () => void rests++,
  })
}

/** Ends the write that is under way. */
async function endWrite(error?: Error): Promise<void> {
  await time.settle()
  held.calls.at(-1)?.end(error)
  await time.settle()
}

/** What became of a promise, as far as is known now. */
function watch(promise: Promise<void>): { state: unknown } {
  const seen: { state: unknown } = { state: 'open' }
  promise.then(
    () => (seen.state = 'stored'),
    (error: unknown) => (seen.state = error),
  )
  return seen
}

const appended = () => held.calls.map(({ lsns }) => lsns)

describe('a group', () => {
  test('is everything that was written in one tick', async () => {
    const writes = [journal.write([record(1), record(2)], 'enqueue'), journal.write([record(3)], 'state')].map(watch)
    journal.note(record(4))
    await time.settle()
    expect(appended()).toEqual([[1, 2, 3, 4]])
    expect(writes.map(({ state }) => state)).toEqual(['open', 'open'])
    await endWrite()
    expect(writes.map(({ state }) => state)).toEqual(['stored', 'stored'])
  })

  test('that comes during an append is the next append, whole', async () => {
    const first = watch(journal.write([record(1)], 'enqueue'))
    await time.settle()
    const second = watch(journal.write([record(2)], 'enqueue'))
    journal.note(record(3))
    await time.settle()
    const third = watch(journal.write([record(4)], 'enqueue'))
    expect(appended()).toEqual([[1]])
    await endWrite()
    expect(appended()).toEqual([[1], [2, 3, 4]])
    expect([first.state, second.state, third.state]).toEqual(['stored', 'open', 'open'])
    await endWrite()
    expect([second.state, third.state]).toEqual(['stored', 'stored'])
    expect(await held.lsns()).toEqual([1, 2, 3, 4])
  })

  test('that nobody waits for is written a moment later, with whatever comes meanwhile', async () => {
    journal.note(record(1))
    await time.settle()
    journal.note(record(2))
    expect([appended(), journal.clean]).toEqual([[], false])
    await time.pass(100)
    expect(appended()).toEqual([[1, 2]])
    await endWrite()
    expect([journal.clean, journal.size, time.timers]).toEqual([true, 2, 0])
  })

  test('that somebody waits for takes along, in order, what nobody waits for', async () => {
    journal.note(record(1))
    void journal.write([record(2)], 'enqueue')
    await endWrite()
    expect(await held.lsns()).toEqual([1, 2])
    expect(time.timers).toBe(0)
  })

  test('is flushed at once when that is asked for', async () => {
    journal.note(record(1))
    const flushed = watch(journal.flush())
    await time.settle()
    expect([appended(), flushed.state]).toEqual([[[1]], 'open'])
    await endWrite()
    expect(flushed.state).toBe('stored')
  })

  test('of nothing is not written', async () => {
    await journal.flush()
    await journal.close()
    expect(held.calls).toEqual([])
  })
})

describe('an append that fails', () => {
  test('is told at once to whom waits for it, and what is state is kept and comes first', async () => {
    const enqueued = watch(journal.write([record(1)], 'enqueue'))
    const state = watch(journal.write([record(2)], 'state'))
    journal.note(record(3))
    await time.settle()
    const later = watch(journal.write([record(4)], 'enqueue'))
    await endWrite(new Error('full'))
    expect(enqueued.state).toBeInstanceOf(StorageError)
    expect(enqueued.state).toMatchObject({ cause: { message: 'full' } })
    expect([state.state, later.state]).toEqual(['open', 'open'])
    await time.pass(1_000)
    expect(appended().at(-1)).toEqual([2, 3, 4])
    await endWrite()
    expect([state.state, later.state]).toEqual(['stored', 'stored'])
    expect(await held.lsns()).toEqual([2, 3, 4])
  })

  test('is tried again after pauses that double up to a minute', async () => {
    journal.note(record(1))
    const tries: number[] = []
    let begun = time.now()
    for (let i = 0; i < 9; i++) {
      await time.passUntil(() => held.calls.length > i)
      tries.push(time.now() - begun)
      begun = time.now()
      await endWrite(new Error('full'))
    }
    expect(tries.slice(1)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
    expect(troubles).toHaveLength(9)
    await time.passUntil(() => held.calls.length > 9)
    await endWrite()
    expect(troubles.at(-1)).toBeUndefined()
    expect(await held.lsns()).toEqual([1])
  })

  test('is told as trouble, and so is that it is over, once', async () => {
    void journal.write([record(1)], 'state')
    await endWrite(new StorageError('The quota is used up.'))
    expect(troubles).toEqual([expect.objectContaining({ message: 'The quota is used up.' })])
    void journal.write([record(2)], 'state')
    await endWrite()
    void journal.write([record(3)], 'state')
    await endWrite()
    expect(troubles.slice(1)).toEqual([undefined])
  })

  test('is tried again with the next write, without a pause', async () => {
    journal.note(record(1))
    await time.pass(100)
    await endWrite(new Error('full'))
    void journal.write([record(2)], 'enqueue')
    await time.settle()
    expect(appended().at(-1)).toEqual([1, 2])
  })

  test('leaves no timer behind when the journal is closed', async () => {
    journal.note(record(1))
    await time.pass(100)
    await endWrite(new Error('full'))
    const closed = watch(journal.close())
    await endWrite(new Error('full'))
    expect([closed.state, time.timers]).toEqual(['stored', 0])
  })
})

describe('compaction', () => {
  test('puts the records given then in the place of all', async () => {
    void journal.write([record(1), record(2)], 'state')
    await endWrite()
    const compacted = watch(journal.compact(() => [record(9)]))
    await endWrite()
    expect(await held.lsns()).toEqual([9])
    expect([compacted.state, journal.size, journal.clean]).toEqual(['stored', 1, true])
  })

  test('says nothing twice: what waited to be appended is in it, and is appended before', async () => {
    const said: JournalRecord[] = []
    const note = (lsn: number) => {
      said.push(record(lsn))
      journal.note(record(lsn))
    }
    note(1)
    void journal.compact(() => [...said])
    note(2)
    for (let i = 0; i < 3; i++) await endWrite()
    expect(await held.lsns()).toEqual([1, 2])
  })

  test('waits for the append under way, and what comes during it stands behind it', async () => {
    void journal.write([record(1)], 'state')
    await time.settle()
    void journal.compact(() => [record(9)])
    expect(held.calls.map(({ name }) => name)).toEqual(['append'])
    await endWrite()
    expect(held.calls.map(({ name }) => name)).toEqual(['append', 'replace'])
    const during = watch(journal.write([record(10)], 'enqueue'))
    await endWrite()
    await endWrite()
    expect(during.state).toBe('stored')
    expect(await held.lsns()).toEqual([9, 10])
    expect(journal.size).toBe(2)
  })

  test('that fails leaves everything as it was', async () => {
    void journal.write([record(1)], 'state')
    await endWrite()
    const compacted = watch(journal.compact(() => [record(9)]))
    await endWrite(new Error('full'))
    void journal.write([record(2)], 'state')
    await endWrite()
    expect(compacted.state).toBeInstanceOf(StorageError)
    expect(await held.lsns()).toEqual([1, 2])
    expect([journal.size, troubles.length > 0]).toEqual([2, true])
  })

  test('loses nothing and says nothing twice, whatever is written at the same time and fails', async () => {
    const does = fc.constantFrom('note', 'write', 'enqueue', 'compact', 'settle', 'pass', 'end', 'end', 'end', 'fail')
    await fc.assert(
      fc.asyncProperty(fc.array(does, { maxLength: 60, size: 'max' }), async (steps) => {
        time = virtualTime()
        held = heldStore()
        journal = open(held.store)
        let lsn = 0
        /** What a state would hold: what is state at once, what is enqueued when it is stored. */
        const state: number[] = []
        const outcomes: Promise<void>[] = []
        for (const step of steps) {
          const next = record(++lsn)
          const { lsn: own } = next
          if (step === 'note') {
            journal.note(next)
            state.push(own)
          } else if (step === 'write') {
            state.push(own)
            outcomes.push(journal.write([next], 'state'))
          } else if (step === 'enqueue') {
            outcomes.push(
              journal.write([next], 'enqueue').then(
                () => void state.push(own),
                () => undefined,
              ),
            )
          } else if (step === 'compact') journal.compact(() => state.map(record)).catch(() => undefined)
          else if (step === 'settle') await time.settle()
          else if (step === 'pass') await time.pass(1_500)
          else await endWrite(step === 'fail' ? new Error('full') : undefined)
        }
        for (let ended = 0; ended < held.calls.length || !journal.clean; ended++) {
          void journal.flush()
          // What failed waits for its own time.
          await time.pass(60_000)
          await endWrite()
        }
        await Promise.all(outcomes)
        expect((await held.lsns()).sort((a, b) => a - b)).toEqual(state.sort((a, b) => a - b))
        expect(journal.size).toBe(state.length)
        expect(time.timers).toBe(0)
      }),
      { numRuns: 300 },
    )
  })
})
