import * as fc from 'fast-check'
import { BehaviorSubject, Subject, takeUntil } from 'rxjs'
import type { Options, Persistence } from '../../lib/api.ts'
import { createEventBus } from '../../lib/bus.ts'
import { createPersistence } from '../../lib/persistence.ts'
import type { StorageLoss } from '../../lib/events.ts'
import { memoryStore } from '../../lib/storage/memory.ts'
import type { EntityRef, OutboxStatus, PersistenceTask, TaskResult } from '../../lib/types.ts'
import { fakeForage } from './fakeForage.ts'
import { ModelRemote, type Row, type Weather } from './modelRemote.ts'
import { mortal } from './mortalStore.ts'
import { virtualTime } from './virtualTime.ts'

export interface Entities {
  note: Row
  tag: Row
}

const entities = ['note 1', 'note 2', 'tag 1', 'tag 2']

/** One thing that happens to an app. `pick` chooses among what is there. */
export type Happening =
  | { does: 'save'; entity: number; priority: number; dependsOn: number[]; maxAge?: number }
  | { does: 'remove'; entity: number; priority: number; dependsOn: number[] }
  | { does: 'pass'; ms: number }
  | { does: 'retry' | 'discard'; pick: number }
  | { does: Simple }

type Simple =
  | ('go offline' | 'go online' | 'pause' | 'resume' | 'sign in' | 'flush' | 'retry all' | 'discard all')
  | ('restart' | 'crash' | 'wipe' | 'rest and wipe')

const entity = fc.nat({ max: entities.length - 1 })
const weighted = (weight: number, arbitrary: fc.Arbitrary<Happening>) => ({ weight, arbitrary })
const saying = (weight: number, ...does: Simple[]) =>
  weighted(weight, fc.constantFrom(...does.map((one) => ({ does: one }))))
const event = { entity, priority: fc.integer({ min: 0, max: 2 }), dependsOn: fc.array(entity, { maxLength: 2 }) }

/** Histories; `without` leaves out what a property cannot bear. */
export function lifeOf(...without: Happening['does'][]): fc.Arbitrary<Happening[]> {
  const happening = fc.oneof(
    weighted(10, fc.record({ does: fc.constant('save'), ...event })),
    weighted(1, fc.record({ does: fc.constant('save'), ...event, maxAge: fc.constantFrom(500, 20_000) })),
    weighted(4, fc.record({ does: fc.constant('remove'), ...event })),
    weighted(9, fc.record({ does: fc.constant('pass'), ms: fc.constantFrom(1, 60, 900, 6_000, 60_000) })),
    weighted(2, fc.record({ does: fc.constantFrom('retry', 'discard'), pick: fc.nat({ max: 9 }) })),
    saying(4, 'go offline', 'go online', 'go online', 'sign in', 'resume'),
    saying(2, 'pause', 'flush', 'retry all', 'restart', 'restart', 'crash'),
    saying(1, 'discard all'),
  )
  return fc.array(
    happening.filter(({ does }) => !without.includes(does)),
    { maxLength: 45, size: 'max' },
  )
}

const kinds: Weather['is'][] = ['fine', 'fine', 'fine', 'fine', 'fine', 'lost', 'late', 'hangs', 'down', 'down']
const weather: fc.Arbitrary<Weather> = fc.record({
  is: fc.constantFrom<Weather['is'][]>(...kinds, 'broken', 'broken', 'refused', 'never', 'signed out', 'busy'),
  takes: fc.constantFrom(0, 0, 0, 5, 400),
})

export interface Climate {
  weathers: Weather[]
  options: Pick<Options<Entities>, 'concurrency' | 'maxOvertakes' | 'quiet' | 'breaker'>
}

export const climate: fc.Arbitrary<Climate> = fc.record({
  weathers: fc.array(weather, { maxLength: 30, size: 'max' }),
  options: fc.record({
    concurrency: fc.constantFrom(1, 2, 4),
    maxOvertakes: fc.constantFrom(1, 3, Infinity),
    quiet: fc.constantFrom(0, 0, 300),
    breaker: fc.constantFrom<Climate['options']['breaker']>(false, { failures: 2, delay: 1_000, maxDelay: 8_000 }),
  }),
})

export const fairWeather: Climate = {
  weathers: [],
  options: { concurrency: 1, maxOvertakes: 3, quiet: 0, breaker: false },
}

/** An app with its outbox, its remote and its user, in virtual time; several runs of it, one after the other. */
export class AppLife {
  readonly time = virtualTime()
  readonly remote = new ModelRemote(this.time)
  /** What the app itself shows: rev by entity. */
  readonly shown = new Map<string, number>()
  /** Every task there ever was: which event it stands for, and what it depends on. */
  readonly tasks = new Map<string, { entity: string; rev: number; operation: string; dependsOn: string[] }>()
  /** How tasks ended, in all runs. */
  readonly ends = new Map<string, TaskResult[]>()
  readonly errors: unknown[] = []
  status: OutboxStatus | undefined
  private readonly options: Climate['options']
  /** When the journals of a life were wiped, and what was told of it. */
  readonly losses: { at: number; told: StorageLoss | undefined }[] = []
  /** Tasks that were stored, and when. */
  readonly stored = new Map<string, number>()
  private disk = memoryStore()
  private readonly forage = fakeForage()
  private readonly isMirrored: boolean
  private readonly online$ = new BehaviorSubject(true)
  private run: { persistence: Persistence<Entities>; kill: () => void; dead: readonly PersistenceTask[] } | undefined
  private rev = 0
  private ids = 0

  constructor({ weathers, options }: Climate, { isMirrored = false } = {}) {
    this.options = options
    this.isMirrored = isMirrored
    let next = 0
    this.remote.weather = () => weathers[next++] ?? { is: 'fine', takes: 0 }
    this.open()
  }

  get persistence(): Persistence<Entities> {
    if (!this.run) throw new RangeError('The app is closed.')
    return this.run.persistence
  }

  get dead(): readonly PersistenceTask[] {
    return this.run?.dead ?? []
  }

  async live(happenings: readonly Happening[]): Promise<void> {
    await this.time.settle()
    for (const one of happenings) {
      await this.happen(one)
      await this.time.settle()
    }
  }

  async happen(one: Happening): Promise<void> {
    switch (one.does) {
      case 'save':
      case 'remove':
        return this.emit(one)
      case 'pass':
        return this.time.pass(one.ms)
      case 'go offline':
      case 'go online':
        return this.online$.next(one.does === 'go online')
      case 'pause':
        return this.persistence.pause()
      case 'resume':
        return this.persistence.resume()
      case 'flush':
        return this.persistence.flush()
      case 'sign in':
        await this.persistence.authorized('note')
        return this.persistence.authorized('tag')
      case 'retry': {
        const letter = chosen(this.dead, one.pick)
        return void (letter && (await this.time.until(this.persistence.retry(letter.id))))
      }
      case 'discard': {
        const letter = chosen(this.dead, one.pick)
        this.remote.checksIds = false
        return letter && this.time.until(this.persistence.discard(letter.id))
      }
      case 'retry all':
        return this.time.until(this.persistence.retryAll())
      case 'discard all':
        this.remote.checksIds = false
        return this.time.until(this.persistence.discardAll())
      case 'restart':
        await this.close()
        return this.open()
      case 'crash':
        this.crash()
        return this.open()
      case 'rest and wipe':
        await this.time.until(this.persistence.idle())
        return this.wipe()
      case 'wipe':
        return this.wipe()
    }
  }

  /** Fair weather until everything has ended: dead letters are tried again. */
  async settleDown(): Promise<void> {
    this.remote.weather = () => ({ is: 'fine', takes: 0 })
    this.online$.next(true)
    for (let rounds = 0; rounds < 40; rounds++) {
      await this.live([{ does: 'resume' }, { does: 'sign in' }, { does: 'retry all' }, { does: 'pass', ms: 30_000 }])
      const { pending = 1, waiting = 1, parked = 1, dead = 1, processing = 1 } = this.status ?? {}
      if (pending + waiting + parked + dead + processing === 0) return
    }
    throw new RangeError(`Never settled: ${JSON.stringify(this.status)}`)
  }

  async close(): Promise<void> {
    const { persistence } = this
    await this.time.until(persistence.close())
    this.run = undefined
    this.remote.forgetCallers()
  }

  /** Tasks that have not ended and should have, before this one goes: what is there already of what it depends on. */
  earlierThan(taskId: string): string[] {
    const own = this.tasks.get(taskId)
    if (!own) return [`${taskId}, which nobody knows`]
    return [...this.tasks].flatMap(([id, { entity: on, rev }]) =>
      own.dependsOn.includes(on) && rev < own.rev && !this.isOver(id) ? [id] : [],
    )
  }

  /** Ended; what superseded it counts for it. */
  private isOver(taskId: string): boolean {
    const end = this.ends.get(taskId)?.at(-1)
    return end?.status === 'superseded' ? this.isOver(end.supersededBy) : end !== undefined
  }

  private crash(): void {
    this.run?.kill()
    this.run = undefined
    this.time.kill()
    this.remote.forgetCallers()
  }

  /** The process dies, and with it the store of the journals; the mirror is what is left. */
  private wipe(): void {
    this.crash()
    this.disk = memoryStore()
    this.losses.push({ at: this.time.now(), told: undefined })
    this.open()
  }

  private open(): void {
    const { store, kill } = mortal(this.disk)
    const mirror = this.forage.mortal()
    const bus = createEventBus<Entities>()
    bus.on('queue:task-enqueued').subscribe(({ task }) => this.meet(task))
    bus.on('storage:lost').subscribe((told) => {
      const last = this.losses.at(-1)
      if (last) last.told = told
    })
    const { scheduler } = this.time
    const killed$ = new Subject<void>()
    const persistence = createPersistence<Entities>({
      strategies: { note: this.remote.strategy(), tag: this.remote.strategy() },
      options: {
        ...this.options,
        bus,
        storage: store,
        snapshot: this.isMirrored ? mirror.forage : null,
        scheduler,
        online$: this.online$.pipe(takeUntil(killed$)),
        locks: null,
        createId: () => `t${++this.ids}`,
        attemptTimeout: 5_000,
        retryConfig: { maxRetries: 2, initialDelay: 1_000, multiplier: 3, maxDelay: 5_000 },
      },
    })
    const run = {
      persistence,
      dead: [] as readonly PersistenceTask[],
      kill: () => (kill(), mirror.kill(), killed$.next()),
    }
    persistence.results$.pipe(takeUntil(killed$)).subscribe((result) => this.hear(result))
    persistence.errors$.pipe(takeUntil(killed$)).subscribe((error) => this.errors.push(error))
    persistence.status$.pipe(takeUntil(killed$)).subscribe((status) => (this.status = status))
    persistence.dead$.pipe(takeUntil(killed$)).subscribe((dead) => (run.dead = dead))
    this.run = run
  }

  private emit({
    does,
    entity: at,
    priority,
    dependsOn: on,
    ...rest
  }: Extract<Happening, { does: 'save' | 'remove' }>): void {
    const name = entities[at] ?? ''
    const isShown = this.shown.has(name)
    if (does === 'remove' && !isShown) return
    const { entityType, id } = refOf(name)
    const rev = ++this.rev
    const dependsOn = on.flatMap((other) => entities[other] ?? []).filter((other) => other !== name)
    const options = { priority, dependsOn: dependsOn.map(refOf), ...('maxAge' in rest && { maxAge: rest.maxAge }) }
    const { created, updated, deleted } = this.persistence
    const { taskId, durable } =
      does === 'remove'
        ? deleted(entityType, id, options)
        : (isShown ? updated : created)(entityType, { id, rev }, options)
    durable.then(
      () => this.stored.set(taskId, this.time.now()),
      () => undefined,
    )
    if (does === 'remove') this.shown.delete(name)
    else this.shown.set(name, rev)
    const operation = does === 'remove' ? 'delete' : isShown ? 'update' : 'create'
    this.tasks.set(taskId, { entity: name, rev, operation, dependsOn })
  }

  /** A retry stands for the event of its dead letter. */
  private meet({ id, retryOf }: PersistenceTask): void {
    const known = retryOf === undefined ? undefined : this.tasks.get(retryOf)
    if (known) this.tasks.set(id, known)
  }

  private hear(result: TaskResult): void {
    if (result.status === 'retrying') return
    const { taskId } = result
    this.ends.set(taskId, [...(this.ends.get(taskId) ?? []), result])
  }
}

function refOf(name: string): EntityRef & { entityType: keyof Entities } {
  const [type, id = ''] = name.split(' ')
  return { entityType: type === 'note' ? 'note' : 'tag', id }
}

function chosen<T>(list: readonly T[], pick: number): T | undefined {
  return list[pick % Math.max(1, list.length)]
}
