import { type StrategyHarness, strategyContract } from 'rx-outbox/testing'
import { expect, test } from 'vitest'
import { type City, CityServer } from './cityServer.ts' // yours: a class that implements StrategyRemote<City>

const harness: StrategyHarness<City> = {
  state: (id, n) => ({ id, name: `state ${n}` }),
  failures: ['unreachable', 'silent', 'answer-lost', 'failing', 'refusing', 'unauthorized', 'rate-limited'],
  features: ['versions', 'pull', 'changes'],
  open: () => new CityServer(),
}

test.each(strategyContract('CityStrategy', harness))('%s', async (_, check) => {
  await expect(check()).resolves.toBeUndefined()
})
