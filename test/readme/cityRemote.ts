import type { Operation } from 'rx-outbox'
import type { RemoteFailure, StrategyHarness, StrategyRemote } from 'rx-outbox/testing'
import { firstValueFrom, Subject } from 'rxjs'
import { vi } from 'vitest'
import { type City, CityStrategy } from './cityStrategy.ts'

interface CityRequest {
  headers: Record<string, string>
  body: string
  signal: AbortSignal
}

const statuses: Partial<Record<RemoteFailure, number>> = { failing: 500, refusing: 422, unauthorized: 401 }

/** What is to be checked: it has neither versions nor a way to read, and does not say how long to wait. */
export const cityRemote: StrategyHarness<City> = {
  state: (id, n) => ({ id, name: `Ulm ${n}` }),
  failures: ['unreachable', 'silent', 'answer-lost', 'failing', 'refusing', 'unauthorized'],
  features: [],
  open,
}

/** A server of cities in the place of `fetch`: it remembers keys, and fails as it is told. */
function open(): StrategyRemote<City> {
  const applied = new Map<string, Operation>()
  const cities = new Map<string, City>()
  const arrived$ = new Subject<void>()
  let failure: RemoteFailure | undefined

  vi.stubGlobal('fetch', async (_url: string, { headers, body, signal }: CityRequest) => {
    signal.throwIfAborted()
    arrived$.next()
    const failing = failure
    failure = undefined
    if (failing === 'silent') return new Promise((_, reject) => signal.addEventListener('abort', reject))
    if (failing === 'unreachable') throw new TypeError('Failed to fetch')
    const status = failing && statuses[failing]
    if (status) return new Response(null, { status })
    apply(headers['idempotency-key'] ?? '', body)
    if (failing === 'answer-lost') throw new TypeError('Failed to fetch')
    return new Response(null, { status: 204 })
  })

  function apply(key: string, body: string): void {
    const { operation, id, data } = JSON.parse(body) as { operation: Operation; id: string; data: City }
    if (applied.has(key)) return
    applied.set(key, operation)
    if (operation === 'delete') cities.delete(id)
    else cities.set(id, data)
  }

  return {
    connect: () => new CityStrategy(),
    rows: () => cities,
    applied: () => [...applied.values()],
    failNext: (next) => {
      failure = next
    },
    arrived: () => firstValueFrom(arrived$),
    close: () => void vi.unstubAllGlobals(),
  }
}
