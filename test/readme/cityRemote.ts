import type { Operation } from 'rx-outbox'
import type { RemoteFailure, StrategyUnderTest } from 'rx-outbox/testing'
import { vi } from 'vitest'
import { type City, CityStrategy } from './cityStrategy.ts'

interface CityRequest {
  headers: Record<string, string>
  body: string
  signal: AbortSignal
}

const statuses: Partial<Record<RemoteFailure, number>> = { failing: 500, refusing: 422, unauthorized: 401 }

/** A server of cities in the place of `fetch`: it remembers keys, and fails as it is told. */
export function cityRemote(): StrategyUnderTest<City> {
  const applied = new Map<string, Operation>()
  let failure: RemoteFailure | undefined

  vi.stubGlobal('fetch', async (_url: string, { headers, body, signal }: CityRequest) => {
    signal.throwIfAborted()
    const failing = failure
    failure = undefined
    if (failing === 'silent') return new Promise((_, reject) => signal.addEventListener('abort', reject))
    if (failing === 'unreachable') throw new TypeError('Failed to fetch')
    const status = failing && statuses[failing]
    if (status) return new Response(null, { status })
    const { operation } = JSON.parse(body) as { operation: Operation }
    applied.set(headers['idempotency-key'] ?? '', operation)
    if (failing === 'answer-lost') throw new TypeError('Failed to fetch')
    return new Response(null, { status: 204 })
  })

  return {
    strategy: new CityStrategy(),
    states: [
      { id: 'contract-1', name: 'Ulm' },
      { id: 'contract-1', name: 'Neu-Ulm' },
    ],
    applied: () => [...applied.values()],
    failNext: (next) => {
      failure = next
    },
  }
}
