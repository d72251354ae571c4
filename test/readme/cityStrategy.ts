import { AuthError, ClientError, NetworkError, ServerError } from 'rx-outbox'
import type { AttemptContext, PersistableEntity, PersistenceStrategy } from 'rx-outbox'

export type City = { id: string; name: string }

export class CityStrategy implements PersistenceStrategy<City> {
  persistCreate({ id, data }: PersistableEntity<City>, attempt: AttemptContext) {
    return post({ operation: 'create', id, data }, attempt)
  }
  persistUpdate({ id, data }: PersistableEntity<City>, attempt: AttemptContext) {
    return post({ operation: 'update', id, data }, attempt)
  }
  persistDelete(id: string, _entityType: string, attempt: AttemptContext) {
    return post({ operation: 'delete', id }, attempt)
  }
}

async function post(change: object, { idempotencyKey, signal }: AttemptContext) {
  const headers = { 'content-type': 'application/json', 'idempotency-key': idempotencyKey }
  const { ok, status } = await fetch('/api/cities', {
    method: 'POST',
    headers,
    body: JSON.stringify(change),
    signal,
  }).catch((cause: unknown) => Promise.reject(new NetworkError('The server was not reached.', { cause })))
  if (ok) return
  const Refusal = status === 401 ? AuthError : status < 500 ? ClientError : ServerError
  throw new Refusal(`The server answered ${status}.`, { status })
}
