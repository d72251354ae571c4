import { capabilities } from '../capabilities.ts'
import type { HistoryEvent } from '../history.ts'
import type { Ledger } from './ledger.ts'

const injected = ['StorageError', 'UnknownError', 'InvalidStateError', 'QuotaExceededError', 'ClosedError']

const pulled = ['NetworkError', 'ServerError', 'RateLimitError', 'TimeoutError']

const isOfPull = ({ name, message }: { name: string; message: string }): boolean =>
  pulled.includes(name) || (name === 'PersistenceError' && /they come again/.test(message))

/** What is stored, by whom, and what is told of it: I2, I5, I6, I7, I9, I15. */
export function checkStores(ledger: Ledger): (event: HistoryEvent) => void {
  /** Who wrote a journal last, and who did before. */
  const writers = new Map<string, { last: string; former: Set<string> }>()

  return (event) => {
    switch (event.is) {
      case 'append':
      case 'replace': {
        const key = `${event.space}/${event.journal}`
        // Each owner that a tab has is a writer of its own; the lead may come back to who lost it.
        const writer = `${event.life}/${ledger.life(event.life).session}/${ledger.handOvers}`
        const known = writers.get(key) ?? { last: writer, former: new Set() }
        writers.set(key, known)
        ledger.expect(
          'I5',
          !known.former.has(writer),
          () => `${writer} writes ${key} although ${known.last} did meanwhile`,
        )
        if (known.last !== writer) known.former.add(known.last)
        known.last = writer
        ledger.expect(
          'I9',
          !capabilities.closesInTime || !ledger.life(event.life).isOver || ledger.life(event.life).hasCrashed,
          () => `life ${event.life} wrote ${event.journal} after it had closed`,
        )
        return
      }
      case 'ack': {
        const task = ledger.tasks.get(event.task)
        ledger.expect('I6', task?.isStored === true, () => `${event.task} was acknowledged before it was stored`)
        return
      }
      case 'error':
        ledger.expect(
          'I7',
          (injected.includes(event.name) || (ledger.config.pull && isOfPull(event))) &&
            !/lost count/.test(event.message),
          () => `${event.name}: ${event.message}`,
        )
        return
      case 'leak':
        return ledger.expect(
          'I9',
          !capabilities.closesInTime,
          () => `life ${event.life} was closed and left ${event.what}`,
        )
      case 'late':
        return ledger.expect('I8', false, () => `life ${event.life}: ${event.what}`)
      default:
    }
  }
}
