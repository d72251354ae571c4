import { ClientError, memoryStore, NetworkError, type PersistenceStrategy, type Reconciliation } from 'rx-outbox'
import { describe, expect, test } from 'vitest'
import { hour, minute, now, pass, start, useFakeTime } from '../../support/fakeTime.ts'
import { open } from '../../support/opened.ts'
import { accepts, fails, hangs, inTurn, note, type Note, Remote } from '../../support/remote.ts'

useFakeTime()

const lost = fails(() => new NetworkError('the answer was lost'))

/** A remote that remembers keys for `keyWindow` ms, and can be asked. */
class Forgetful extends Remote implements PersistenceStrategy<Note> {
  readonly keyWindow: number
  readonly asked: string[] = []
  says: () => Promise<Reconciliation<Note>>

  constructor(keyWindow: number, says: () => Promise<Reconciliation<Note>>, answer?: Remote['answer']) {
    super(answer)
    this.keyWindow = keyWindow
    this.says = says
  }

  reconcile({ id }: { id: string }) {
    this.asked.push(id)
    return this.says()
  }
}

const unknown = () => Promise.resolve('unknown' as const)
const applied = () => Promise.resolve({ applied: true, receipt: { backendId: 'b1', version: 7 } } as const)
const notApplied = () => Promise.resolve({ applied: false } as const)

describe('a task in doubt', () => {
  test('is retried like any other for as long as the remote remembers its key', async () => {
    for (const keyWindow of [Infinity, 3 * minute]) {
      const remote = new Forgetful(keyWindow, unknown, inTurn(lost, accepts))
      const receipt = open(remote).created('note', note('n1'))
      await pass(3 * minute)
      expect(await receipt.settled).toMatchObject({ status: 'persisted' })
      expect(remote.asked).toEqual([])
      expect(remote.calls[1]?.attempt.idempotencyKey).toBe(remote.calls[0]?.attempt.idempotencyKey)
    }
  })

  test('is asked about once that has passed: applied is persisted, with its receipt', async () => {
    for (const keyWindow of [0, minute]) {
      const remote = new Forgetful(keyWindow, applied, lost)
      const receipt = open(remote).created('note', note('n1'))
      await pass(3 * minute)
      expect(await receipt.settled).toMatchObject({
        status: 'persisted',
        sent: true,
        receipt: { backendId: 'b1', version: 7 },
        metadata: { backendId: 'b1', version: 7 },
      })
      expect(remote.calls).toHaveLength(1)
      expect(remote.asked).toEqual(['n1'])
    }
  })

  test('that was not applied is sent again, with the same input', async () => {
    const remote = new Forgetful(0, notApplied, inTurn(lost, accepts))
    const receipt = open(remote).created('note', note('n1', 'hello'))
    await pass(3 * minute)
    expect(await receipt.settled).toMatchObject({ status: 'persisted' })
    expect(remote.log).toEqual(['create n1 hello', 'create n1 hello'])
  })

  test('of which nobody knows becomes a dead letter in doubt, never a blind resend', async () => {
    for (const remote of [new Forgetful(0, unknown, lost), Object.assign(new Remote(lost), { keyWindow: 0 })]) {
      const persistence = open(remote)
      const receipt = persistence.created('note', note('n1'))
      await pass(100 * hour)
      expect(remote.calls).toHaveLength(1)
      expect(await receipt.settled).toMatchObject({
        status: 'failed',
        error: { category: 'network' },
        task: { inDoubt: true, outcome: 'failed' },
      })
    }
  })

  test('stays in doubt while nobody answers the question, whatever is said instead', async () => {
    const remote = new Forgetful(0, () => Promise.reject(new ClientError('no', { status: 403 })), lost)
    const receipt = open(remote).created('note', note('n1'))
    await pass(24 * hour)
    expect(remote.calls).toHaveLength(1)
    expect(remote.asked).toHaveLength(3)
    expect(await receipt.settled).toMatchObject({ status: 'failed', task: { inDoubt: true, retryCount: 3 } })
  })

  test('is asked about after a restart, also within the same millisecond', async () => {
    const storage = memoryStore()
    const remote = new Forgetful(0, notApplied, inTurn(hangs, accepts))
    const first = open(remote, { storage })
    first.created('note', note('n1'))
    await now()
    await first.close()
    open(remote, { storage })
    await now()
    expect(remote.asked).toEqual(['n1'])
    expect(remote.log).toEqual(['create n1 text', 'create n1 text'])
  })

  test('that was not applied begins a window of its own', async () => {
    const remote = new Forgetful(5 * minute, notApplied, inTurn(lost, lost, lost, accepts))
    const persistence = open(remote)
    const receipt = persistence.created('note', note('n1'))
    await pass(15 * minute)
    // 3 minutes: within the window. 15: asked about, and sent anew.
    expect(remote.since(start)).toEqual([0, 3 * minute, 15 * minute])
    expect(remote.asked).toHaveLength(1)
    await pass(48 * minute)
    expect(remote.asked).toHaveLength(2)
    expect(await receipt.settled).toMatchObject({ status: 'persisted' })
  })
})

describe('a refusal', () => {
  test('leaves no doubt: it is retried without a question', async () => {
    const remote = new Forgetful(
      0,
      unknown,
      inTurn(
        fails(() => new ClientError('no', { status: 400 })),
        accepts,
      ),
    )
    const receipt = open(remote).created('note', note('n1'))
    await pass(3 * minute)
    expect(remote.asked).toEqual([])
    expect(await receipt.settled).toMatchObject({ status: 'persisted' })
  })

  test('does not hide that the next attempt may have been applied, when the app ended in the middle of it', async () => {
    const storage = memoryStore()
    const remote = new Forgetful(
      0,
      applied,
      inTurn(
        fails(() => new ClientError('no', { status: 400 })),
        hangs,
      ),
    )
    const first = open(remote, { storage })
    first.created('note', note('n1'))
    await pass(3 * minute)
    expect(remote.calls).toHaveLength(2)
    await first.close()
    open(remote, { storage })
    await now()
    expect(remote.asked).toEqual(['n1'])
    expect(remote.calls).toHaveLength(2)
  })

  test('and nothing since leaves no doubt after a restart either', async () => {
    const storage = memoryStore()
    const remote = new Forgetful(
      0,
      unknown,
      inTurn(
        fails(() => new ClientError('no', { status: 400 })),
        accepts,
      ),
    )
    const first = open(remote, { storage })
    first.created('note', note('n1'))
    await pass(minute)
    await first.close()
    open(remote, { storage })
    await pass(2 * minute)
    expect(remote.asked).toEqual([])
    expect(remote.calls).toHaveLength(2)
  })
})
