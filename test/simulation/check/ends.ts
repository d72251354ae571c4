import type { HistoryEvent } from '../history.ts'
import type { Ledger, TaskStory } from './ledger.ts'

type Of<Is extends HistoryEvent['is']> = Extract<HistoryEvent, { is: Is }>

/** How tasks end, and what is left: I1, I7, I8, I11, I15. */
export function checkEnds(ledger: Ledger): (event: HistoryEvent) => void {
  const told = new Map<string, string>()
  const receipts = new Map<string, string>()

  function settle(event: Of<'settle'>): void {
    const life = ledger.life(event.life)
    const key = `${event.task} ${event.life} ${life.session}`
    ledger.expect(
      'I7',
      !told.has(key) || life.isStolen,
      () => `${event.task} ended as ${told.get(key)} and as ${event.status}`,
    )
    told.set(key, event.status)
    ledger.expect('I15', !life.isOver, () => `life ${event.life} told the end of ${event.task} after its own`)
    const task = ledger.tasks.get(event.task)
    const mayForget = ledger.hadPowerCut || ledger.hadWipe
    if (event.status === 'superseded')
      ledger.expect(
        'I3',
        mayForget || task?.sends.length === 0,
        () => `${event.task} became part of ${event.by} after it had been sent`,
      )
    const by = ledger.tasks.get(event.by ?? '')?.enq
    ledger.expect(
      'I4',
      by === undefined || by.life !== task?.enq.life || by.rev > task.enq.rev,
      () => `${event.task} became part of ${event.by}, which came before it`,
    )
    if (event.status === 'persisted' && event.sent === true)
      ledger.expect('I1', wasApplied(task), () => `${event.task} ended as persisted and never took effect`)
  }

  const applied = new Set<string>()
  const wasApplied = (task: TaskStory | undefined) =>
    task !== undefined && (applied.has(task.id) || task.sends.some(({ key }) => applied.has(key)))

  function receipt(event: Of<'receipt'>): void {
    const before = receipts.get(event.task)
    ledger.expect('I15', before === undefined, () => `the receipt of ${event.task} told ${before} and ${event.status}`)
    receipts.set(event.task, event.status)
    const task = ledger.tasks.get(event.task)
    const isStored = event.status !== 'not-stored' && event.status !== 'closed' && event.status !== 'unseen'
    if (isStored)
      ledger.expect(
        'I15',
        task !== undefined && hasEnded(task),
        () => `the receipt of ${event.task} told ${event.status}, results$ nothing`,
      )
  }

  function hasEnded(task: TaskStory, seen = new Set<string>()): boolean {
    if (seen.has(task.id)) return false
    return task.settled.length > 0 || [...ledger.tasks.values()].some(({ from }) => from === task)
  }

  /** After everything has calmed down: each task that was acknowledged has its one end, and dead letters are listed. */
  function final(event: Of<'final'>): void {
    ledger.expect('I8', event.live === 0, () => `${event.live} tasks of "${event.owner}" are left`)
    const dead = new Set(event.dead.map(({ task }) => task))
    const retried = new Set([...ledger.tasks.values()].flatMap(({ from }) => (from ? [from.id] : [])))
    let parked = 0
    for (const task of ledger.tasks.values()) {
      if (task.enq.owner !== event.owner || task.isExcused) continue
      const end = task.settled.at(-1)
      if (end === undefined) {
        if (task.ackedAt !== undefined && event.parked === 0)
          ledger.expect('I1', false, () => `${task.id} was acknowledged and has no end`)
        if (task.ackedAt !== undefined) parked++
        continue
      }
      ledger.expect('I1', true, () => '')
      const isDead = end.status === 'failed' || end.status === 'expired'
      if (isDead && !task.isRemoved && !retried.has(task.id))
        ledger.expect('I1', dead.has(task.id), () => `${task.id} ended as ${end.status} and is no dead letter`)
      if (!isDead)
        ledger.expect('I7', !dead.has(task.id), () => `${task.id} ended as ${end.status} and is a dead letter`)
    }
    ledger.expect(
      'I1',
      parked <= event.parked,
      () => `${parked} tasks of "${event.owner}" have no end, and ${event.parked} are parked`,
    )
  }

  /** What was deleted is not there, unless something later brought it back. */
  function rows(event: Of<'rows'>): void {
    if (ledger.hadWipe || ledger.hadPowerCut) return
    const held = new Map(event.rows)
    for (const { enq, settled } of ledger.tasks.values()) {
      const end = settled.at(-1)
      if (enq.owner !== event.owner || enq.operation !== 'delete' || end?.status !== 'persisted') continue
      const rev = held.get(enq.entity)
      if (rev === undefined || rev > enq.rev) continue
      const before = [...ledger.tasks.values()].filter(
        ({ enq: other }) => other.entity === enq.entity && other.owner === enq.owner && other.rev < enq.rev,
      )
      const isOlder = before.some(({ enq: kept }) => kept.rev === rev && kept.life === enq.life)
      // It met a create, and left what was before that to an earlier delete, which is parked, or dead.
      const isLeft =
        end.sent === false &&
        before.some(
          ({ enq: other, settled: ends }) =>
            other.operation === 'delete' && other.rev > rev && ends.at(-1)?.status !== 'persisted',
        )
      ledger.expect('I4', !isOlder || isLeft, () => `${enq.entity} is there as ${rev} although ${enq.task} deleted it`)
    }
  }

  return (event) => {
    switch (event.is) {
      case 'settle':
        return settle(event)
      case 'receipt':
        return receipt(event)
      case 'apply':
        applied.add(event.task)
        applied.add(event.key)
        return
      case 'final':
        return final(event)
      case 'rows':
        return rows(event)
      case 'stuck':
        return ledger.expect('I8', false, () => `life ${event.life} never came to rest: ${event.status}`)
      default:
    }
  }
}
