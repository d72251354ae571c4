import { ClientError, createPersistence, memoryStore, NetworkError } from 'rx-outbox'
import { expect, test } from 'vitest'
import { firstValueFrom, NEVER, skipWhile, Subject } from 'rxjs'

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

test('a later attempt that a crash cut off leaves its own doubt, though an earlier one was refused', async () => {
  const keys: string[] = []
  const begun$ = new Subject<void>()
  const begun = firstValueFrom(begun$)
  const storage = memoryStore()
  const outbox = (persist: (attempt: number) => Promise<void>) =>
    createPersistence<{ note: { id: string } }>({
      strategies: {
        note: {
          persistCreate: (_, { idempotencyKey, attempt }) => (keys.push(idempotencyKey), persist(attempt)),
          persistUpdate: () => [],
          persistDelete: () => [],
        },
      },
      options: { storage, retryConfig: { maxRetries: 1, initialDelay: 100 } },
    })
  const refused = () => Promise.reject(new ClientError('refused', { status: 400 }))
  const crashed = outbox((attempt) => (attempt === 1 ? refused() : (begun$.next(), firstValueFrom(NEVER))))
  crashed.created('note', { id: 'n1' })
  await begun
  const errors = [new ClientError('the key is outstanding', { status: 409 })]
  const persistence = outbox(() => {
    const error = errors.shift()
    return error ? Promise.reject(error) : Promise.resolve()
  })
  const [dead] = await firstValueFrom(persistence.dead$.pipe(skipWhile((letters) => letters.length === 0)))
  expect(dead).toMatchObject({ inDoubt: true })
  await persistence.retry(dead?.id ?? '')
  await persistence.idle()
  expect(new Set(keys).size).toBe(1)
  expect(keys).toHaveLength(4)
  await Promise.all([persistence.close(), crashed.close()])
})
