import type { HistoryEvent } from '../history.ts'
import type { Ledger, TaskStory } from './ledger.ts'

type Of<Is extends HistoryEvent['is']> = Extract<HistoryEvent, { is: Is }>

/** How often and when it is tried again: I10, I11. */
export function checkRetries(ledger: Ledger): (event: HistoryEvent) => void {
  const { maxRetries, initialDelay, multiplier, maxDelay } = ledger.config.retry
  const { jitter, maxRetryAfter } = ledger.config
  /** Answers that cost an attempt and were surely recorded, by task. */
  const counted = new Map<string, Of<'answer'>[]>()
  const waiting = new Map<string, Of<'retrying'>>()
  const answered = new Map<string, Of<'answer'>>()
  const told = new Set<string>()
  let flushedAt = -Infinity
  /** Tasks that were asked about: they had begun already. */
  const reconciled = new Set<string>()

  function send(event: Of<'send'>): void {
    const { task: id, life: at, clock } = event
    const task = ledger.tasks.get(id)
    const life = ledger.life(at)
    const type = event.entity.split(' ')[0] ?? ''
    if (reconciled.delete(`${at} ${id}`)) return
    ledger.expect(
      'I10',
      ledger.config.tabs > 1 || !life.unauthorized.has(type),
      () => `${id} was sent before authorized('${type}')`,
    )
    ledger.expect(
      'I10',
      ledger.config.tabs > 1 || !life.isPaused,
      () => `${id} was sent although life ${at} was paused`,
    )
    ledger.expect('I10', ledger.isOnline || ledger.isCalm, () => `${id} was sent offline`)
    const expiresAt = task?.expiresAt
    ledger.expect(
      'I10',
      expiresAt === undefined || clock < expiresAt,
      () => `${id} was sent ${clock - (expiresAt ?? 0)} ms after it had expired`,
    )
    const mayForget = ledger.hadTrouble || ledger.hadPowerCut || ledger.hadWipe
    const attempts = mayForget ? 0 : (counted.get(id)?.length ?? 0)
    ledger.expect(
      'I10',
      // A replaced leader does not know yet what the next one has tried.
      attempts <= maxRetries || life.isStolen,
      () => `${id} was tried for the ${attempts + 1}th time, with ${maxRetries} retries`,
    )
    const retry = waiting.get(id)
    const wasFlushed = flushedAt >= (retry?.at ?? Infinity)
    if (retry?.life === at && !wasFlushed && ledger.clockChangedAt < retry.at)
      ledger.expect(
        'I10',
        clock >= retry.retryAt,
        () => `${id} was sent ${retry.retryAt - clock} ms before its retry was due`,
      )
    waiting.delete(id)
  }

  function retrying(event: Of<'retrying'>): void {
    const said = `${event.life} ${event.task} ${event.retryAt}`
    if (told.has(said)) return
    told.add(said)
    // Others tell it later, and so does who lost the lead.
    if (ledger.config.tabs > 1 && (answered.get(event.task)?.life !== event.life || ledger.life(event.life).isStolen))
      return
    const { task: id, retryAt, clock } = event
    const delay = retryAt - clock
    const answer = answered.get(id)
    const asked = answer?.at === event.at && answer.life === event.life ? answer.retryAfter : undefined
    if (asked !== undefined) {
      const wanted = Math.min(asked, maxRetryAfter)
      ledger.expect('I10', delay === wanted, () => `${id} waits for ${delay} ms where ${wanted} were asked for`)
    } else {
      const least = Math.min(initialDelay, maxDelay) * (1 - jitter)
      const most = Math.min(maxDelay, initialDelay * multiplier ** Math.max(0, maxRetries - 1))
      ledger.expect(
        'I10',
        delay >= Math.floor(least) && delay <= Math.max(1, most),
        () => `${id} waits for ${delay} ms, not ${least} to ${most}`,
      )
    }
    waiting.set(id, event)
  }

  /** An attempt that cost one: it is in the journal a moment later, if nothing is wrong with that. */
  function count(event: Of<'answer'>): void {
    answered.set(event.task, event)
    if ([0, 200, 401, 408].includes(event.status)) return
    const known = counted.get(event.task)
    if (known) known.push(event)
    else counted.set(event.task, [event])
  }

  /** What was answered just before is perhaps not recorded. */
  function interrupted(event: { life: number; at: number }): void {
    for (const [id, answers] of counted)
      counted.set(
        id,
        answers.filter(({ life, at }) => life !== event.life || at < event.at - 200),
      )
  }

  /** It was tried as often as it may be, or refused for good, or nobody can tell what became of it. */
  function settle(event: Of<'settle'>): void {
    const task = ledger.tasks.get(event.task)
    if (event.status !== 'failed' || !task) return
    const isKnown = event.inDoubt && ledger.config.keyWindow < Infinity
    const attempts = attemptsOf(task)
    const isEnough = attempts > maxRetries || answered.get(event.task)?.permanent === true || isKnown
    ledger.expect(
      'I10',
      isEnough,
      () => `${event.task} ended as failed after ${attempts} of ${maxRetries + 1} attempts`,
    )
  }

  /** Those of what became part of it count. */
  function attemptsOf({ sends, inherited }: TaskStory): number {
    return [...inherited].reduce((sum, task) => sum + attemptsOf(task), sends.length)
  }

  return (event) => {
    switch (event.is) {
      case 'settle':
        return settle(event)
      case 'send':
        return send(event)
      case 'retrying':
        return retrying(event)
      case 'answer':
        return count(event)
      case 'crash':
      case 'freeze':
        return interrupted(event)
      case 'reconcile':
        reconciled.add(`${event.life} ${event.task}`)
        return
      case 'command':
        if (event.name === 'flush') flushedAt = ledger.config.tabs > 1 ? Infinity : event.at
        return
      default:
    }
  }
}
