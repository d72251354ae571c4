import { ClientError, createPersistence, memoryStore, NetworkError } from 'rx-outbox'
import { expect, test } from 'vitest'
import { firstValueFrom, skipWhile } from 'rxjs'

test('a 409 that says the key is outstanding leaves a task in doubt, and its retry keeps the key', async () => {
  const keys: string[] = []
  const errors = [new NetworkError('the answer was lost'), new ClientError('the key is outstanding', { status: 409 })]
  const persistence = createPersistence<{ note: { id: string } }>({
    strategies: {
      note: {
        async persistCreate(_, { idempotencyKey }) {
          keys.push(idempotencyKey)
          const error = errors.shift()
          if (error) throw error
        },
        persistUpdate: () => [],
        persistDelete: () => [],
      },
    },
    options: { storage: memoryStore(), retryConfig: { maxRetries: 1, initialDelay: 0 } },
  })
  persistence.created('note', { id: 'n1' })
  const [dead] = await firstValueFrom(persistence.dead$.pipe(skipWhile((letters) => letters.length === 0)))
  expect(dead).toMatchObject({ inDoubt: true })
  await persistence.retry(dead?.id ?? '')
  await persistence.idle()
  expect(new Set(keys).size).toBe(1)
  expect(keys).toHaveLength(3)
  await persistence.close()
})
