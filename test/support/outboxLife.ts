import * as fc from 'fast-check'
import { folded as fold } from '../../lib/outbox/adopt.ts'
import { createCommands } from '../../lib/outbox/commands.ts'
import type { Entry, Lane } from '../../lib/outbox/lane.ts'
import type { Fact } from '../../lib/outbox/facts.ts'
import { createOutbox } from '../../lib/outbox/outbox.ts'
import { snapshot } from '../../lib/outbox/snapshot.ts'
import type { OutboxState } from '../../lib/outbox/state.ts'
import { createResolutions } from '../../lib/sync/resolutions.ts'
import type { Enqueued, JournalRecord } from '../../lib/storage/records.ts'
import type { EntityRef, Operation } from '../../lib/types.ts'

/** Of `ghost` there is no strategy, and the app is of version 2. */
export const knows = (type: string, schemaVersion = 1): boolean => type !== 'ghost' && schemaVersion <= 2
const all = (): boolean => true

const ref: fc.Arbitrary<EntityRef> = fc.record({
  entityType: fc.constantFrom('note', 'note', 'note', 'tag', 'tag', 'ghost'),
  id: fc.constantFrom('1', '2'),
})
const error = { category: 'server', message: 'down' } as const

/** One thing that happens to an outbox. `pick` chooses among what is there. */
export type Step =
  | {
      does: 'add'
      ref: EntityRef
      operation: Operation
      priority: number
      dependsOn: EntityRef[]
      merge: boolean
      expires: boolean
      schemaVersion: number
    }
  | {
      does:
        | 'mark'
        | 'finish'
        | 'give back'
        | 'fail'
        | 'refuse'
        | 'dispute'
        | 'later'
        | 'retry'
        | 'discard'
        | 'resolve'
        | 'progress'
      pick: number
    }
  | {
      does:
        | 'begin'
        | 'wake'
        | 'expire'
        | 'retry all'
        | 'discard all'
        | 'flush'
        | 'import'
        | 'keep'
        | 'know'
        | 'lead'
        | 'compact'
        | 'rebase'
    }

const weighted = (weight: number, arbitrary: fc.Arbitrary<Step>) => ({ weight, arbitrary })
const picking = (...does: Extract<Step, { pick: number }>['does'][]) =>
  fc.record({ does: fc.constantFrom(...does), pick: fc.nat({ max: 30 }) })

export const step: fc.Arbitrary<Step> = fc.oneof(
  weighted(
    10,
    fc.record({
      does: fc.constant('add'),
      ref,
      operation: fc.constantFrom('create', 'create', 'update', 'update', 'delete'),
      priority: fc.integer({ min: -1, max: 3 }),
      dependsOn: fc.oneof(fc.constant<EntityRef[]>([]), fc.array(ref, { maxLength: 2, size: 'max' })),
      merge: fc.boolean(),
      expires: fc.boolean(),
      schemaVersion: fc.constantFrom(1, 2, 2, 2, 3),
    }),
  ),
  weighted(8, fc.constant({ does: 'begin' })),
  weighted(8, picking('finish', 'finish', 'fail', 'refuse', 'later', 'give back')),
  weighted(3, picking('mark', 'progress')),
  weighted(4, picking('retry', 'retry', 'discard')),
  weighted(4, picking('dispute', 'resolve')),
  weighted(1, fc.constant({ does: 'rebase' })),
  weighted(2, fc.constantFrom<Step>({ does: 'wake' }, { does: 'expire' }, { does: 'flush' })),
  weighted(1, fc.constantFrom<Step>({ does: 'retry all' }, { does: 'discard all' }, { does: 'lead' })),
  weighted(1, fc.constantFrom<Step>({ does: 'import' }, { does: 'keep' }, { does: 'know' }, { does: 'compact' })),
)

export const history = fc.array(step, { maxLength: 60, size: 'max' })

/** An outbox without a journal's time and without a delivery's: everything happens at once, and is written down. */
export class OutboxLife {
  readonly records: JournalRecord[] = []
  readonly facts: Fact[] = []
  readonly errors: unknown[] = []
  readonly flying: Entry[] = []
  now = 1_000
  private ids = 0

  readonly outbox = createOutbox({
    journal: { note: (record) => void this.records.push(record) },
    now: () => this.now,
    maxOvertakes: Infinity,
    quiet: 0,
    longestWait: () => 1_000_000,
    knows,
    schemaVersion: 2,
    keeps: (type) => type === 'note',
    coalesceOf: () => undefined,
    tell: (fact) => void this.facts.push(fact),
    changed: () => undefined,
    trouble: (thrown) => void this.errors.push(thrown),
  })

  private readonly resolutions = createResolutions({
    outbox: this.outbox,
    owner: 'ann',
    createId: () => this.createId(),
    keepsBase: (type) => type === 'note',
    schemaVersion: 2,
    schemaOf: () => undefined,
    migrationOf: () => undefined,
  })

  private readonly commands = createCommands({
    outbox: this.outbox,
    settle: this.resolutions.settle,
    journal: { write: async (records) => void this.records.push(...records), flush: async () => undefined },
    owner: 'ann',
    now: () => this.now,
    createId: () => this.createId(),
    keyWindowOf: () => Infinity,
  })

  get state(): OutboxState {
    return this.outbox.state
  }

  async live(steps: readonly Step[]): Promise<void> {
    for (const one of steps) await this.happen(one)
  }

  async happen(one: Step): Promise<void> {
    this.now++
    switch (one.does) {
      case 'add':
        return this.add(one)
      case 'begin':
        return this.begin()
      case 'mark':
        return this.mark(chosen(this.outbox.schedule.upcoming(8, all), one.pick)?.queue[0])
      case 'finish':
      case 'give back':
      case 'fail':
      case 'refuse':
      case 'later':
        return this.land(one.does, one.pick)
      case 'progress': {
        const task = chosen([...this.state.tasks.values()], one.pick)
        return task && this.write({ kind: 'progress', ...this.outbox.stamp(), task: task.lsn, data: `"${this.now}"` })
      }
      case 'retry': {
        const letter = chosen([...this.state.dead], one.pick)
        return void (letter && (await this.commands.retry(letter.id)))
      }
      case 'discard': {
        const task = chosen([...this.state.tasks.values()], one.pick)
        return task && task.state !== 'sending' ? this.commands.discard(task.id) : undefined
      }
      case 'dispute':
        return this.dispute(one.pick)
      case 'resolve': {
        const task = chosen([...this.state.asked], one.pick)
        const resolution = (['local', 'remote', { merged: { at: this.now } }] as const)[one.pick % 3]
        return task && resolution && this.commands.resolve(task.id, resolution)
      }
      case 'rebase':
        return this.rebase('note', '1')
      case 'wake':
        this.now += 500
        return this.outbox.schedule.wake(this.now)
      case 'expire': {
        const { first } = this.outbox.expiring
        if (first?.state === 'sending') return this.outbox.expiring.delete(first)
        return (
          first &&
          this.outbox.end(first, { status: 'expired', ...(first.error && { error: first.error }) }, first.inDoubt)
        )
      }
      case 'flush':
        return this.commands.flush()
      case 'retry all':
        return this.commands.retryAll()
      case 'discard all':
        return this.commands.discardAll()
      case 'import':
        return this.write({ kind: 'imported', ...this.outbox.stamp(), writer: 'other', upTo: this.now })
      case 'keep':
        return this.write({ kind: 'checkpoint', ...this.outbox.stamp(), entityType: 'note', data: `"${this.now}"` })
      case 'know':
        return this.write({
          kind: 'metadata',
          ...this.outbox.stamp(),
          entityType: 'note',
          entityId: '1',
          backendId: 'b1',
        })
      case 'lead':
        this.state.epoch += 1
        return this.write({ kind: 'opened', ...this.outbox.stamp() })
      case 'compact':
        this.records.splice(0, Infinity, ...snapshot(this.state, 'ann'))
    }
  }

  /** What is on its way comes back, as when the app is closed. */
  giveAllBack(): void {
    for (const entry of this.flying.splice(0)) this.outbox.giveBack(entry)
  }

  private createId(): string {
    return `t${++this.ids}`
  }

  private write(record: JournalRecord): void {
    this.records.push(record)
    this.outbox.commit(record)
  }

  private add({
    ref: { entityType, id },
    operation,
    priority,
    dependsOn,
    merge,
    expires,
    schemaVersion,
  }: Extract<Step, { does: 'add' }>): void {
    const record: Enqueued = {
      kind: 'enqueued',
      ...this.outbox.stamp(),
      id: this.createId(),
      entityType,
      entityId: id,
      operation,
      createdAt: this.now,
      schemaVersion,
      priority,
      ...(dependsOn.length > 0 && { dependsOn }),
      ...(expires && { expiresAt: this.now + 5_000, maxAge: 5_000 }),
      ...(operation !== 'delete' && { data: `{"at":${this.now}}` }),
    }
    this.records.push(record)
    this.outbox.accept([record], { merge })
  }

  private mark(entry: Entry | undefined): void {
    if (!entry || entry.mark?.durable) return
    const isOld = entry.schemaVersion < 2 && entry.data !== undefined
    const migrated = isOld ? { schemaVersion: 2, data: `{"migrated":${entry.data}}` } : {}
    this.write({
      kind: 'sending',
      ...this.outbox.stamp(),
      task: entry.lsn,
      firstSentAt: this.now,
      backendId: 'b1',
      ...migrated,
    })
    Object.assign(entry.mark ?? {}, { durable: true })
  }

  private begin(): void {
    const lane = this.outbox.schedule.peek(all)
    const head = lane?.queue[0]
    if (!lane || !head) return
    this.mark(head)
    this.outbox.schedule.take(lane, all)
    this.outbox.begin(head)
    this.flying.push(head)
  }

  private rebase(entityType: string, entityId: string): void {
    const data = this.now % 4 === 0 ? {} : { data: `{"remote":${this.now}}` }
    this.write({ kind: 'base', ...this.outbox.stamp(), entityType, entityId, version: this.now, ...data })
  }

  /** The remote holds something else, and the app is asked. */
  private dispute(pick: number): void {
    const entry = chosen(this.flying, pick)
    if (!entry) return
    this.flying.splice(this.flying.indexOf(entry), 1)
    this.rebase(entry.lane.entityType, entry.lane.entityId)
    this.outbox.giveBack(entry, { category: 'conflict', message: 'another version' })
    this.outbox.joinBehind(entry)
    const head = entry.lane.queue[0]
    if (head?.state === 'waiting') this.outbox.ask(head, { category: 'conflict', message: 'another version' })
  }

  private land(how: 'finish' | 'give back' | 'fail' | 'refuse' | 'later', pick: number): void {
    const entry = chosen(this.flying, pick)
    if (!entry) return
    this.flying.splice(this.flying.indexOf(entry), 1)
    if (how === 'give back') this.outbox.giveBack(entry)
    else if (how === 'later')
      this.outbox.retryLater(entry, { retryAt: this.now + 400, error, held: pick % 3, inDoubt: pick % 2 === 0 })
    else if (how === 'finish')
      this.outbox.persisted(entry, pick % 2 === 0 ? {} : { backendId: `b${entry.lane.entityId}`, version: pick }, true)
    else this.outbox.end(entry, { status: 'failed', error }, how === 'fail')
  }
}

function chosen<T>(list: readonly T[], pick: number): T | undefined {
  return list[pick % Math.max(1, list.length)]
}

/** The fold of records, by itself. */
export const folded = (records: Iterable<JournalRecord>): OutboxState => fold(records, knows)

/** A state in plain values. What was in flight waits again; times of a retry that was hurried are not written down. */
export function plain(state: OutboxState) {
  const { waiting, sending, parked, dead } = state.counts
  return {
    lsn: state.lsn,
    epoch: state.epoch,
    counts: { waiting: waiting + sending, parked, dead },
    imported: [...state.imported],
    checkpoints: [...state.checkpoints],
    dead: [...state.dead].map(({ id }) => id).sort(),
    tasks: [...state.tasks.keys()].sort((a, b) => a - b),
    lanes: Object.fromEntries(
      [...state.lanes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, lane]) => [key, plainLane(lane)]),
    ),
  }
}

function plainLane({ queue, dead, waiters, known, base }: Lane) {
  const ids = (entries: Iterable<Entry> = []) => Array.from(entries, ({ id }) => id).sort()
  return {
    queue: queue.map(plainEntry),
    dead: (dead ?? []).map(plainEntry).sort((a, b) => a.place - b.place),
    waiters: ids(waiters),
    known: known && { ...known },
    base: base && { ...base },
  }
}

function plainEntry(entry: Entry) {
  const { lane, mark, blockedBy, state, byExpiry: _, retryAt, held, ...rest } = entry
  return {
    ...rest,
    lane: lane.key,
    mark: mark && { ...mark, durable: true },
    // Behind which, where there are several, is for the first to say.
    blocked: blockedBy !== undefined,
    state: state === 'sending' ? 'waiting' : state,
    // Of a dead letter nobody asks when it would have been tried again.
    ...(state !== 'dead' && { retryAt, held }),
  }
}
