import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Operation } from 'rx-outbox'
import { catchError, from, of } from 'rxjs'
import { afterEach, describe, expect, it } from 'vitest'
import { type RemoteFailure, strategyContract, type StrategyUnderTest } from '../../lib/testing/strategyContract.ts'
import { restStrategy } from '../../strategies/rest.ts'
import { serve } from '../support/restServer.ts'

interface Note {
  id: string
  title: string
}

const states = [
  { id: 'contract-1', title: 'Milk' },
  { id: 'contract-1', title: 'Bread' },
] as const
const operations: Record<string, Operation> = { POST: 'create', PUT: 'update', DELETE: 'delete' }
const refusals: Partial<Record<RemoteFailure, number>> = { failing: 500, refusing: 422, unauthorized: 401 }

let closeServer = () => Promise.resolve()
afterEach(() => closeServer())

/** A collection of notes in memory which remembers keys. */
async function setup({ forgetful = false } = {}): Promise<StrategyUnderTest<Note>> {
  const applied: Operation[] = []
  const answers = new Map<string, [status: number, version: number, body: string]>()
  let stored: { version: number; data: object } | undefined
  let failure: RemoteFailure | undefined

  const server = await serve(({ method = '', headers }, response, body) => {
    const failing = failure
    failure = undefined
    const refusal = failing && refusals[failing]
    if (failing === 'silent') return
    if (failing === 'unreachable') response.socket?.destroy()
    else if (refusal) response.writeHead(refusal).end()
    else {
      const [status, version, text] = method === 'GET' ? look() : once(method, headers, body)
      if (failing === 'answer-lost') response.socket?.destroy()
      else reply(response, status, version, text)
    }
  })
  closeServer = server.close

  function once(method: string, headers: IncomingHttpHeaders, body: string) {
    const key = String(headers['idempotency-key'])
    const known = forgetful ? undefined : answers.get(key)
    const answer = known ?? write(method, headers['if-match'], body)
    answers.set(key, answer)
    return answer
  }

  function write(method: string, ifMatch: unknown, body: string): [number, number, string] {
    const stale = ifMatch !== undefined && ifMatch !== `"${stored?.version}"`
    if (stale || (method === 'POST' && stored))
      return [stale ? 412 : 409, look()[1], `{"current":${look()[2] || 'null'}}`]
    if (!stored && method !== 'POST') return [404, 0, '']
    applied.push(operations[method] ?? 'update')
    const version = (stored?.version ?? 0) + 1
    stored = method === 'DELETE' ? undefined : { version, data: { _id: 'b1', ...(JSON.parse(body) as object) } }
    return stored ? [200, version, JSON.stringify(stored.data)] : [204, 0, '']
  }

  function look(): [number, number, string] {
    return stored ? [200, stored.version, JSON.stringify(stored.data)] : [404, 0, '']
  }

  return {
    strategy: restStrategy<Note>({ url: `${server.url}/notes` }),
    states,
    applied: () => applied,
    failNext: (next) => {
      failure = next
    },
  }
}

function reply(response: ServerResponse, status: number, version: number, text: string): void {
  const headers = { 'content-type': 'application/json', ...(version > 0 && { etag: `"${version}"` }) }
  response.writeHead(status, text ? headers : {}).end(text)
}

describe('a remote that remembers keys', () => {
  it.each(strategyContract('restStrategy', setup))('%s', async (_, check) => {
    await expect(check()).resolves.toBeUndefined()
  })
})

describe('a remote that knows no keys but versions', () => {
  it.each(strategyContract('restStrategy', () => setup({ forgetful: true })))('%s', async (_, check) => {
    await expect(check()).resolves.toBeUndefined()
  })
})

/** A strategy whose creates go wrong in one way or another when the real one throws. */
const spoiled =
  (onError: () => object) =>
  ({ strategy, ...rest }: StrategyUnderTest<Note>): StrategyUnderTest<Note> => ({
    ...rest,
    strategy: {
      ...strategy,
      persistCreate: (note, attempt) =>
        from(strategy.persistCreate(note, attempt)).pipe(catchError(() => of(onError()))),
    },
  })

describe('the contract itself', () => {
  async function failing(spoil: (subject: StrategyUnderTest<Note>) => StrategyUnderTest<Note>) {
    const failed: string[] = []
    for (const [description, check] of strategyContract('It', async () => spoil(await setup()))) {
      await check().catch(() => failed.push(description))
      await closeServer()
    }
    return failed
  }

  it('finds a strategy that makes up a key at each attempt', async () => {
    let made = 0
    const failed = await failing(({ strategy, ...rest }) => ({
      ...rest,
      strategy: {
        ...strategy,
        persistUpdate: (note, { version, ...attempt }) => {
          made += 1
          return strategy.persistUpdate(note, { ...attempt, idempotencyKey: `${made} ${version}` })
        },
      },
    }))
    expect(failed).toEqual(['It applies a key once, however often it is sent'])
  })

  it('finds a strategy that throws whatever it got', async () => {
    const failed = await failing(
      spoiled(() => {
        throw new Error('oh no')
      }),
    )
    expect(failed).toEqual([
      'It fails when an answer is lost, and is done with the next attempt',
      'It throws a PersistenceError of category network when the remote is unreachable',
      'It throws a PersistenceError of category server when the remote is failing',
      'It throws a PersistenceError of category client when the remote is refusing',
      'It throws a PersistenceError of category auth when the remote is unauthorized',
    ])
  })

  it('finds a strategy that swallows its errors', async () => {
    const failed = await failing(spoiled(() => ({})))
    expect(failed).toHaveLength(7)
    expect(failed).toContain('It lets go of a silent remote when its signal is aborted')
  })
})
