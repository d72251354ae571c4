import { capabilities } from '../capabilities.ts'
import type { HistoryEvent } from '../history.ts'
import type { ScriptConfig } from '../script.ts'
import type { Finding, Invariant } from './findings.ts'

type Of<Is extends HistoryEvent['is']> = Extract<HistoryEvent, { is: Is }>

/** A task as its history shows it so far. */
export interface TaskStory {
  id: string
  enq: Of<'enq'>
  /** Of a retry: the dead letter that it was made of. */
  from: TaskStory | undefined
  /** Of a resolution: the task in whose place it stands. */
  replaces: TaskStory | undefined
  /** What of somebody else's may be merged into it: events, or nothing. */
  merges: ReadonlySet<number | undefined>
  /** What was decided about it; the last may have come too late. */
  decisions: Of<'decision'>[]
  /** The remote answered that it holds something else. */
  isInConflict: boolean
  /** The remote answered that it holds just that. */
  isAgreed: boolean
  /** Attempts of those that became part of it. */
  inherited: Set<TaskStory>
  expiresAt: number | undefined
  isStored: boolean
  /** When it was acknowledged (ms of true time). */
  ackedAt: number | undefined
  isRefused: boolean
  settled: Of<'settle'>[]
  isRemoved: boolean
  /** Was in a store that is gone, or may be. */
  isExcused: boolean
  sends: Of<'send'>[]
}

export interface LifeStory {
  id: number
  owner: string | null
  /** How often the owner was switched: each time it is a new session. */
  session: number
  isOver: boolean
  /** By a crash rather than in order. */
  hasCrashed: boolean
  isStolen: boolean
  isPaused: boolean
  /** Entity types that wait for `authorized()`. */
  unauthorized: Set<string>
  /** When they were last told so (ms of true time). */
  refusedAt: Map<string, number>
  /** Requests without an answer, by number. */
  flying: Map<number, Of<'send'>>
}

/** What is known at each point of a history. */
export class Ledger {
  readonly findings: Finding[] = []
  readonly checks = new Map<Invariant, number>()
  readonly tasks = new Map<string, TaskStory>()
  readonly lives = new Map<number, LifeStory>()
  readonly config: ScriptConfig
  /** Index of the event that is looked at. */
  at = 0
  isOnline = true
  /** How often the lead may have come to somebody else. */
  handOvers = 0
  isCalm = false
  /** When the clock was last set back, or anything else made timers and clock disagree (ms of true time). */
  clockChangedAt = -Infinity
  /** Storage failed at some time: what is written behind may be late. */
  hadTrouble = false
  hadWipe = false
  /** Somebody discarded tasks by hand. */
  hadDiscards = false
  /** Entities of owners that were in conflict. */
  readonly conflicts = new Set<string>()
  hadPowerCut = false

  constructor(history: readonly HistoryEvent[]) {
    const config = history.find((event) => event.is === 'config')
    if (!config) throw new RangeError('A history begins with its configuration.')
    this.config = config.config
  }

  expect(invariant: Invariant, holds: boolean, what: () => string): void {
    this.checks.set(invariant, (this.checks.get(invariant) ?? 0) + 1)
    if (!holds) this.findings.push({ invariant, what: what(), event: this.at })
  }

  life(id: number): LifeStory {
    const known = this.lives.get(id)
    if (known) return known
    const made: LifeStory = {
      id,
      owner: null,
      session: 0,
      isOver: false,
      hasCrashed: false,
      isStolen: false,
      isPaused: false,
      unauthorized: new Set(),
      refusedAt: new Map(),
      flying: new Map(),
    }
    this.lives.set(id, made)
    return made
  }

  /** The event that a task stands for: a retry stands for that of its dead letter. */
  note(event: HistoryEvent): void {
    switch (event.is) {
      case 'owner': {
        const life = this.life(event.life)
        life.owner = event.owner
        life.session++
        this.handOvers++
        life.unauthorized.clear()
        return
      }
      case 'crash':
      case 'closed': {
        const life = this.life(event.life)
        this.handOvers++
        life.isOver = true
        life.hasCrashed = event.is === 'crash'
        return life.flying.clear()
      }
      case 'stolen':
        this.handOvers++
        this.life(event.life).isStolen = true
        return
      case 'enq':
        this.add(event.task, event, event.expiresAt)
        return
      case 'made': {
        const from = this.tasks.get(event.from)
        if (from && !this.tasks.has(event.task))
          this.add(event.task, from.enq, event.expiresAt, { from, merges: from.merges })
        return
      }
      case 'append':
      case 'replace':
        // Nobody is told what becomes of it.
        if (!capabilities.closesInTime && this.life(event.life).isOver)
          for (const task of this.tasks.values()) task.isExcused = true
        for (const id of event.tasks) this.store(id)
        return
      case 'ack': {
        const task = this.tasks.get(event.task)
        if (task) task.ackedAt = event.at
        return
      }
      case 'nack': {
        const task = this.tasks.get(event.task)
        if (task) task.isRefused = !event.late
        return
      }
      case 'send':
        this.life(event.life).flying.set(event.request, event)
        this.tasks.get(event.task)?.sends.push(event)
        return
      case 'answer':
        if (event.status === 401) this.unauthorize(event)
        if (event.remote !== undefined) this.refuse(event, event.remote)
        this.life(event.life).flying.delete(event.request)
        return
      case 'aborted':
        this.life(event.life).flying.delete(event.request)
        return
      case 'decision':
        this.tasks.get(event.task)?.decisions.push(event)
        return
      case 'settle':
        return this.settle(event)
      case 'removed': {
        const task = this.tasks.get(event.task)
        if (task) task.isRemoved = true
        return
      }
      case 'command':
        return this.command(event)
      case 'network':
        this.isOnline = event.online
        return
      case 'clock jump':
      case 'freeze':
      case 'thaw':
        this.clockChangedAt = event.at
        return
      case 'store fault':
        this.hadTrouble = true
        return
      case 'wipe':
        this.hadWipe = true
        for (const task of this.tasks.values()) task.isExcused = true
        return
      case 'power cut':
        this.hadPowerCut = true
        for (const task of this.tasks.values()) if ((task.ackedAt ?? Infinity) >= event.since) task.isExcused = true
        return
      case 'calm':
        this.isCalm = true
        return
      default:
    }
  }

  /** A task that nobody said anything of, in the place of another one: a resolution. */
  private settle(event: Of<'settle'>): void {
    const task = this.tasks.get(event.task)
    if (!task) return
    task.settled.push(event)
    if (event.by === undefined) return
    if (!this.tasks.has(event.by)) {
      const merges = mergesAfter(task)
      this.add(event.by, task.enq, task.expiresAt, { from: task.from, replaces: task, ackedAt: task.ackedAt, merges })
    }
    this.tasks.get(event.by)?.inherited.add(task)
  }

  private refuse({ life, request, task: id }: Of<'answer'>, remote: number | null): void {
    const task = this.tasks.get(id)
    const said = this.life(life).flying.get(request)
    if (!task || !said) return
    task.isInConflict = true
    this.conflicts.add(`${said.owner}/${said.entity}`)
    if (remote === (said.operation === 'delete' ? null : said.rev)) task.isAgreed = true
  }

  /** It never came to be: what it stands for came back, after a crash, and ended in another way. */
  isVoid({ id, replaces }: TaskStory): boolean {
    return replaces !== undefined && (replaces.settled.at(-1)?.by !== id || this.isVoid(replaces))
  }

  private add(
    id: string,
    enq: Of<'enq'>,
    expiresAt: number | undefined,
    more: Partial<Pick<TaskStory, 'from' | 'replaces' | 'ackedAt' | 'merges'>> = {},
  ): void {
    const isStored = this.stored.has(id)
    this.tasks.set(id, {
      id,
      enq,
      from: undefined,
      replaces: undefined,
      merges: new Set([undefined]),
      decisions: [],
      isInConflict: false,
      isAgreed: false,
      inherited: new Set(),
      expiresAt,
      isStored,
      ackedAt: undefined,
      isRefused: false,
      settled: [],
      isRemoved: false,
      isExcused: false,
      sends: [],
      ...more,
    })
  }

  private readonly stored = new Set<string>()

  private store(id: string): void {
    this.stored.add(id)
    const task = this.tasks.get(id)
    if (!task) return
    task.isStored = true
  }

  private unauthorize(event: Of<'answer'>): void {
    const task = this.tasks.get(event.task)
    const type = task?.enq.entity.split(' ')[0]
    const { unauthorized, refusedAt, flying } = this.life(event.life)
    // Begun before an earlier 401 it had the same token, and says nothing new.
    if (type === undefined || (flying.get(event.request)?.at ?? Infinity) <= (refusedAt.get(type) ?? -Infinity)) return
    unauthorized.add(type)
    refusedAt.set(type, event.at)
  }

  private command({ life: id, name, entityType }: Of<'command'>): void {
    const life = this.life(id)
    if (name === 'pause') life.isPaused = true
    if (name === 'discard' || name === 'discardAll') this.hadDiscards = true
    if (name === 'resume') life.isPaused = false
    if (name === 'authorized' && entityType !== undefined) life.unauthorized.delete(entityType)
  }
}

/** What may be merged into what replaces a task. */
function mergesAfter({ decisions, merges }: TaskStory): Set<number | undefined> {
  const merged = decisions.flatMap(({ decision, remote }) => (decision === 'merged' && remote !== null ? [remote] : []))
  const isKept = decisions.length === 0 || decisions.some(({ decision }) => decision === 'local')
  return new Set([...merged, ...(isKept ? merges : [])])
}
