import { strategyContract } from 'rx-outbox/testing'
import { expect, test } from 'vitest'
import { cityRemote } from './cityRemote.ts'

test.each(strategyContract('CityStrategy', cityRemote))('%s', async (_, check) => {
  await expect(check()).resolves.toBeUndefined()
})
