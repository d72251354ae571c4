export { journalStoreContract, type JournalStoreFixture, type JournalStoreRule } from './journalStoreContract.ts'
export { type RemoteFailure, strategyContract, type StrategyUnderTest } from './strategyContract.ts'
