import type { HistoryEvent } from '../history.ts'
import { checkEnds } from './ends.ts'
import type { Finding, Invariant } from './findings.ts'
import { Ledger } from './ledger.ts'
import { checkPulls } from './pulls.ts'
import { checkRetries } from './retries.ts'
import { checkSends } from './sends.ts'
import { checkStores } from './stores.ts'

export interface Verdict {
  findings: Finding[]
  /** How often each invariant was looked at. */
  checks: Map<Invariant, number>
}

/** Judges a history by what the library promises. It knows nothing of how the library works. */
export function check(history: readonly HistoryEvent[]): Verdict {
  const ledger = new Ledger(history)
  const rules = [checkStores(ledger), checkSends(ledger), checkRetries(ledger), checkEnds(ledger), checkPulls(ledger)]
  history.forEach((event, at) => {
    ledger.at = at
    for (const rule of rules) rule(event)
    ledger.note(event)
  })
  return { findings: ledger.findings, checks: ledger.checks }
}
