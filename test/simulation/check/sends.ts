import type { HistoryEvent } from '../history.ts'
import type { Ledger, TaskStory } from './ledger.ts'

type Send = Extract<HistoryEvent, { is: 'send' }>
type Apply = Extract<HistoryEvent, { is: 'apply' }>

/** What goes over the wire, and what it does there: I3, I4, I5, I6, I16. */
export function checkSends(ledger: Ledger): (event: HistoryEvent) => void {
  const bodies = new Map<string, string>()
  const keys = new Map<string, string>()
  const effects = new Map<string, Apply[]>()
  /** By life and entity: the newest event that took effect. */
  const newest = new Map<string, { rev: number; key: string }>()
  /** In which life a task was said to be in conflict last: it is not sent as it is any more. */
  const refusals = new Map<string, number>()
  /** By owner: the life that sends. */
  const senders = new Map<string, number>()

  function send(event: Send): void {
    const { task: id, key, owner, entity, operation, rev, merged, life: at } = event
    const task = ledger.tasks.get(id)
    ledger.expect('I6', task?.isStored === true, () => `${id} was sent before it was stored`)
    ledger.expect('I6', !task?.isRefused, () => `${id} was sent although it was refused`)
    if (!task) return
    const body = JSON.stringify([owner, entity, operation, rev, merged])
    ledger.expect(
      'I3',
      (bodies.get(key) ?? body) === body || isTakenApart(task),
      () => `key ${key} stands for ${bodies.get(key)} and for ${body}`,
    )
    bodies.set(key, body)
    ledger.expect('I3', (keys.get(id) ?? key) === key, () => `${id} was sent with keys ${keys.get(id)} and ${key}`)
    keys.set(id, key)
    ledger.expect(
      'I16',
      owner === task.enq.owner && entity === task.enq.entity,
      () => `${id} of ${task.enq.owner}/${task.enq.entity} was sent as ${owner}/${entity}`,
    )
    ledger.expect(
      'I3',
      (operation === 'delete' ? task.enq.operation === operation : rev === task.enq.rev) && task.merges.has(merged),
      () => `${id} was sent as ${body}, and says ${task.enq.rev} with ${[...task.merges].join(' or ') || 'nothing'}`,
    )
    const life = ledger.life(at)
    const isOver = refusals.get(id) === at || task.settled.some((end) => end.life === at)
    ledger.expect(
      'I3',
      !isOver || life.isStolen || ledger.config.owners > 1,
      () => `${id} was sent although it had ended, or was in conflict`,
    )
    ledger.expect('I16', life.owner === owner, () => `${id} of ${owner} was sent while the owner was ${life.owner}`)
    oneSender(event)
    inOrder(event, task)
  }

  function oneSender({ life: at, owner, task }: Send): void {
    const before = senders.get(owner)
    senders.set(owner, at)
    if (before === undefined || before === at) return
    const former = ledger.life(before)
    // A switch of the owner gives the lead away as well.
    ledger.expect(
      'I5',
      former.isOver ||
        former.isStolen ||
        former.owner !== owner ||
        ledger.life(at).isStolen ||
        ledger.config.owners > 1,
      () => `life ${at} sends ${task} while life ${before} leads`,
    )
  }

  function inOrder(event: Send, task: TaskStory): void {
    const life = ledger.life(event.life)
    if (life.isStolen) return
    const flying = [...life.flying.values()].filter(
      ({ owner, entity }) => owner === event.owner && entity === event.entity,
    )
    ledger.expect(
      'I4',
      flying.length === 0,
      () => `${event.task} was sent while ${flying[0]?.task} of ${event.entity} was in flight`,
    )
    ledger.expect(
      'I4',
      life.flying.size < ledger.config.concurrency,
      () => `${event.task} was sent while ${life.flying.size} were in flight`,
    )
    const { enq } = task
    for (const other of ledger.tasks.values()) {
      const { enq: earlier } = other
      if (other.from || earlier.rev >= enq.rev || earlier.life !== enq.life || earlier.owner !== enq.owner) continue
      if (other.ackedAt === undefined || other.isExcused || other.settled.length > 0 || ledger.isVoid(other)) continue
      if (earlier.entity === enq.entity)
        ledger.expect('I4', false, () => `${event.task} was sent before ${other.id} of the same entity had ended`)
      else if (enq.dependsOn.includes(earlier.entity))
        ledger.expect('I4', false, () => `${event.task} was sent before ${other.id}, on which it depends, had ended`)
    }
  }

  function apply(event: Apply): void {
    const { task: id, key, entity, owner } = event
    const task = ledger.tasks.get(id)
    if (!task) return
    const { enq, settled, decisions } = task
    ledger.expect(
      'I3',
      settled.at(-1)?.status !== 'discarded' ||
        isGivenUp(task) ||
        ledger.hadPowerCut ||
        ledger.hadWipe ||
        !decisions.some(({ decision }) => decision === 'remote'),
      () => `${id} took effect although the remote was to win`,
    )
    const before = effects.get(enq.task) ?? []
    ledger.expect(
      'I3',
      before.length === 0 || mayRepeat(task, before),
      () => `${id}: what ${enq.task} says of ${entity} took effect again, with key ${key} after ${before.at(-1)?.key}`,
    )
    effects.set(enq.task, [...before, event])
    const lane = `${enq.life}/${owner}/${entity}`
    const last = newest.get(lane)
    ledger.expect(
      'I4',
      last === undefined || enq.rev > last.rev || before.length > 0 || isGivenUp(task) || isForgotten(task),
      () => `${id} (${enq.rev}) of ${entity} took effect after a later one (${last?.rev})`,
    )
    if (last === undefined || enq.rev > last.rev) newest.set(lane, { rev: enq.rev, key })
  }

  /** A power cut made the library forget that it had ended. */
  function isForgotten({ settled }: TaskStory): boolean {
    return ledger.hadPowerCut && settled.length > 0
  }

  /** A power cut made the library forget that another one was joined with it. */
  function isTakenApart({ id }: TaskStory): boolean {
    return ledger.hadPowerCut && [...ledger.tasks.values()].some(({ settled }) => settled.some(({ by }) => by === id))
  }

  /** It ended in doubt while a request of it was still under way: nobody could know. */
  function isGivenUp({ settled }: TaskStory): boolean {
    const end = settled.at(-1)
    return end !== undefined && end.status !== 'persisted' && end.inDoubt
  }

  /** Only what a person retries by hand after the remote has forgotten its key, or what a power cut made the library forget. */
  function mayRepeat(task: TaskStory, before: Apply[]): boolean {
    if (ledger.hadPowerCut || ledger.hadWipe) return true
    const isByHand = [task, ...before.map((one) => ledger.tasks.get(one.task))].some((one) => one?.from !== undefined)
    return isByHand && ledger.config.keyWindow < Infinity && before.every(({ key }) => key !== task.sends.at(-1)?.key)
  }

  return (event) => {
    if (event.is === 'conflict') refusals.set(event.task, event.life)
    if (event.is === 'send') send(event)
    if (event.is === 'apply') apply(event)
  }
}
