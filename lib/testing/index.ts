export { journalStoreContract } from './journalStoreContract.ts'
export type { JournalStoreFixture, JournalStoreRule } from './journalStoreTrial.ts'
export { strategyContract } from './strategyContract.ts'
export type { RemoteFailure, StrategyFeature, StrategyHarness, StrategyRemote } from './strategyHarness.ts'
