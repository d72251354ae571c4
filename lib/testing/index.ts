export { journalStoreContract } from './journalStoreContract.ts'
export type { JournalStoreFixture, JournalStoreRule } from './journalStoreTrial.ts'
export { type RemoteFailure, strategyContract, type StrategyUnderTest } from './strategyContract.ts'
