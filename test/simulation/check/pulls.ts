import type { HistoryEvent } from '../history.ts'
import type { Ledger, TaskStory } from './ledger.ts'

type Of<Is extends HistoryEvent['is']> = Extract<HistoryEvent, { is: Is }>

/** What the remote held of an entity from a version on; `rev`: null where it held nothing. */
interface State {
  version: number
  rev: number | null
  task: string | undefined
}

/** What it holds of what nobody wrote yet. */
const nothing: State = { version: 0, rev: null, task: undefined }

/** Milliseconds in which what another tab has stored reaches who leads. */
const reach = 1_000

/** What others changed: I17, I18, I19, I20. */
export function checkPulls(ledger: Ledger): (event: HistoryEvent) => void {
  const remote = new Map<string, State[]>()
  /** By owner and entity: the version that the app's store has at least. */
  const reads = new Map<string, number>()
  /** The version of which the app has said that it has it, or that it wrote. */
  const newest = new Map<string, number>()
  /** By life: what it took over, and what was read there before, until that is known to be stored. */
  const open = new Map<number, Map<string, number>>()
  /** By life: the versions that it is taking over. */
  const coming = new Map<number, Map<string, number>>()
  /** Lives whose app has said that it is done, so that the next write tells. */
  const done = new Set<number>()
  /** The own event that the app's store shows. */
  const own = new Map<string, string>()
  /** A row came over a change of another tab that could not be known. */
  const raced = new Set<string>()
  const begun = new Set<string>()

  const readOf = (at: string): number => reads.get(at) ?? 0
  const statesOf = (at: string): State[] => remote.get(at) ?? [nothing]

  function written(at: string, state: State): void {
    remote.set(at, [...statesOf(at), state])
  }

  function* tasksOf(owner: string, entity: string): Generator<TaskStory> {
    for (const task of ledger.tasks.values())
      if (task.enq.owner === owner && task.enq.entity === entity && !ledger.isVoid(task)) yield task
  }

  function isInUse(owner: string, entity: string): boolean {
    for (const task of tasksOf(owner, entity)) if (isOpen(task)) return true
    return false
  }

  function isOpen({ id, settled, isRemoved, isRefused }: TaskStory): boolean {
    const end = settled.at(-1)
    if (end === undefined) return !isRefused
    const isDead = end.status === 'failed' || end.status === 'expired'
    return isDead && !isRemoved && ![...ledger.tasks.values()].some(({ from }) => from?.id === id)
  }

  function given({ life: at, owner, rows, at: now }: Of<'given'>): void {
    const life = ledger.life(at)
    ledger.expect('I16', life.owner === owner, () => `rows of ${owner} were given while the owner was ${life.owner}`)
    for (const { entity } of rows) {
      for (const task of tasksOf(owner, entity)) {
        const { enq, ackedAt = Infinity, settled } = task
        const isHere = enq.life === at
        if (task.isExcused || !isOpen(task) || (!isHere && ackedAt > now - reach)) continue
        if (!isHere && (ledger.hadTrouble || life.isStolen || ledger.clockChangedAt > -Infinity)) continue
        ledger.expect(
          'I17',
          false,
          () => `${entity} was given over ${task.id} (${enq.rev}), ${settled.at(-1)?.status ?? 'which has not ended'}`,
        )
      }
      ledger.expect('I17', true, () => '')
    }
  }

  function took({ life, owner, entity, rev, version, kept }: Of<'took'>): void {
    const at = `${owner}/${entity}`
    const before = readOf(at)
    const fits = statesOf(at).filter((state) => state.rev === rev && (version ?? state.version) === state.version)
    ledger.expect('I18', fits.length > 0, () => `${entity} was given as ${rev} (${version}), which it never was`)
    const state = fits.find((one) => one.version >= before)
    ledger.expect(
      'I18',
      kept || state !== undefined || fits.length === 0,
      () => `${entity} went back to ${rev} (${version ?? fits.at(-1)?.version}), and was at ${before}`,
    )
    const taking = open.get(life) ?? new Map<string, number>()
    open.set(life, taking)
    if (!taking.has(at)) taking.set(at, before)
    reads.set(at, Math.max(before, state?.version ?? 0))
    const rows = coming.get(life) ?? new Map<string, number>()
    coming.set(life, rows.set(at, fits.at(-1)?.version ?? 0))
    if (kept) return
    const mine = ledger.tasks.get(own.get(at) ?? '')
    if (mine && isOpen(mine) && mine.enq.life !== life) raced.add(at)
    else raced.delete(at)
    own.delete(at)
  }

  function taken({ life, whole }: Of<'taken'>): void {
    if (!whole) return forget(life)
    done.add(life)
    for (const [at, version] of coming.get(life) ?? []) newest.set(at, version)
    coming.delete(life)
  }

  /** It is not known to be stored: what the library knew before may come once more. */
  function forget(life: number): void {
    for (const [at, before] of open.get(life) ?? []) reads.set(at, before)
    open.delete(life)
    coming.delete(life)
  }

  function persisted({ task: id }: Of<'settle'>): void {
    const task = ledger.tasks.get(id)
    if (!task) return
    const at = `${task.enq.owner}/${task.enq.entity}`
    const state = statesOf(at).findLast((one) => one.task === id)
    if (!state) return
    reads.set(at, Math.max(readOf(at), state.version))
    newest.set(at, Math.max(newest.get(at) ?? 0, state.version))
  }

  /** By a page, without an answer that says so. */
  function heard(event: Of<'other' | 'apply'>): void {
    const { owner, entity } = event
    const tasks = [...tasksOf(owner, entity)]
    // What another tab changes without knowing that it was deleted here, too.
    const deleted = event.is === 'apply' && event.operation === 'delete' ? ledger.tasks.get(event.task) : undefined
    const isApart = ({ enq }: TaskStory) => enq.operation === 'update' && enq.life !== deleted?.enq.life
    if (event.is === 'other' || (deleted && tasks.some(isApart))) ledger.conflicts.add(`${owner}/${entity}`)
    if (event.is === 'apply' || event.rev !== null) return
    for (const task of tasks) if (task.enq.operation === 'delete') task.isAgreed = true
  }

  /** The first pull of a session says which checkpoint was stored. */
  function pull({ life: id, owner, type, checkpoint }: Of<'pull'>): void {
    const life = ledger.life(id)
    ledger.expect('I16', life.owner === owner, () => `${type} of ${owner} was pulled while the owner was ${life.owner}`)
    const session = `${id} ${life.session} ${type}`
    if (begun.has(session)) return
    begun.add(session)
    const prefix = `${owner}/${type} `
    for (const [at, states] of remote) {
      if (!at.startsWith(prefix)) continue
      // What was written later comes yet.
      const state = states.at(-1)
      if (!state || state.version > checkpoint) continue
      if (state.task !== undefined || isInUse(owner, at.slice(owner.length + 1))) continue
      ledger.expect(
        'I19',
        (newest.get(at) ?? 0) >= state.version,
        () => `${at} was not taken over as ${state.rev} (${state.version}), and the checkpoint is ${checkpoint}`,
      )
    }
  }

  function shown({ owner, rows }: Of<'shown'>): void {
    if (!ledger.config.pull) return
    const held = new Map(rows)
    const entities = [...remote.keys()].flatMap((at) => (at.startsWith(`${owner}/`) ? at.slice(owner.length + 1) : []))
    for (const entity of new Set([...held.keys(), ...entities])) {
      const at = `${owner}/${entity}`
      if (raced.has(at) || isInUse(owner, entity) || !isSent(ledger.tasks.get(own.get(at) ?? ''))) continue
      const is = held.get(entity) ?? null
      const state = statesOf(at).at(-1)
      const should = state?.rev ?? null
      ledger.expect('I20', is === should, () => `${at} is ${is} in the store of the app, and ${should} at the remote`)
    }
  }

  /** What the app shows is what was sent in the end, or was to be given up. */
  function isSent(task: TaskStory | undefined): boolean {
    if (!task) return true
    const retry = [...ledger.tasks.values()].find(({ from, replaces }) => from === task && !replaces)
    if (retry) return isSent(retry)
    const end = task.settled.at(-1)
    if (end?.status === 'superseded') return isSent(ledger.tasks.get(end.by ?? ''))
    return end?.status === 'persisted' || task.decisions.some(({ decision }) => decision === 'remote')
  }

  return (event) => {
    switch (event.is) {
      case 'enq': {
        const at = `${event.owner}/${event.entity}`
        own.set(at, event.task)
        raced.delete(at)
        return
      }
      case 'apply':
      case 'other': {
        if (ledger.config.pull) heard(event)
        const isGone = event.rev === null || (event.is === 'apply' && event.operation === 'delete')
        const task = event.is === 'apply' && event.merged === undefined ? event.task : undefined
        return written(`${event.owner}/${event.entity}`, {
          version: event.version,
          rev: isGone ? null : event.rev,
          task,
        })
      }
      case 'pull':
        return pull(event)
      case 'given':
        return given(event)
      case 'took':
        return took(event)
      case 'taken':
        return taken(event)
      case 'append':
      case 'replace':
        if (done.delete(event.life)) open.delete(event.life)
        return
      case 'settle':
        return event.status === 'persisted' ? persisted(event) : undefined
      case 'crash':
      case 'closed':
        return forget(event.life)
      case 'wipe':
      case 'power cut':
        return reads.clear()
      case 'shown':
        return shown(event)
      default:
    }
  }
}
