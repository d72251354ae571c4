import { BehaviorSubject, Subject, takeUntil } from 'rxjs'
import type { ConflictOf, Options, Persistence } from '../../../lib/api.ts'
import { createEventBus } from '../../../lib/bus.ts'
import { createPersistence } from '../../../lib/persistence.ts'
import type { IncomingChange } from '../../../lib/remote.ts'
import type { OutboxStatus, PersistenceTask, TaskResult } from '../../../lib/types.ts'
import { capabilities } from '../capabilities.ts'
import { clockOf } from './clock.ts'
import { Life } from './life.ts'
import { resolverOf } from './resolver.ts'
import type { Row } from './rows.ts'
import type { World } from './world.ts'

export interface Entities {
  note: Row
  tag: Row
}

export const ownerName = (owner: number | null): string | null =>
  owner === null ? null : owner === 0 ? '' : `owner${owner}`

/** One run of the app in a tab, with the library in it. What it hears goes into the history while it lives. */
export class Tab {
  readonly life: Life
  readonly persistence: Persistence<Entities>
  readonly owner$: BehaviorSubject<string | null>
  isClosing = false
  private readonly online$: BehaviorSubject<boolean>
  private readonly world: World

  constructor(world: World, at: number, owner: string | null) {
    this.world = world
    this.life = new Life(world, at)
    this.owner$ = new BehaviorSubject(owner)
    this.online$ = new BehaviorSubject(world.isOnline)
    world.record({ is: 'open', life: this.life.id, tab: at })
    world.record({ is: 'owner', life: this.life.id, owner })
    this.persistence = this.open()
  }

  get status(): OutboxStatus {
    return now(this.persistence.status$)
  }

  get dead(): readonly PersistenceTask[] {
    return now(this.persistence.dead$)
  }

  get conflicts(): readonly ConflictOf<Entities>[] {
    return now(this.persistence.conflicts$)
  }

  get queue(): readonly PersistenceTask[] {
    return now(this.persistence.queue$)
  }

  switchOwner(owner: string | null): void {
    this.world.record({ is: 'owner', life: this.life.id, owner })
    this.owner$.next(owner)
  }

  switchNetwork(online: boolean): void {
    if (this.online$.value !== online) this.online$.next(online)
  }

  async close(): Promise<void> {
    this.isClosing = true
    const { life, world } = this
    await this.persistence.close()
    if (!life.isAlive) return
    world.record({ is: 'closed', life: life.id })
    // What is left a moment later would go on for ever in a page that stays open.
    await new Promise<void>((resolve) => world.loop.in(100, resolve))
    if (life.timers > 0) world.record({ is: 'leak', life: life.id, what: `${life.timers} timers` })
    // A call that is not answered may still write: until then nobody else may.
    const isWaiting = life.underway.size > 0 || life.isStuck
    for (const name of isWaiting ? [] : world.locks.left(life))
      world.record({ is: 'leak', life: life.id, what: `lock ${name}` })
    life.die('lost')
  }

  private open(): Persistence<Entities> {
    const { world, life } = this
    const { config } = world.script
    const bus = createEventBus<Entities>()
    const dead$ = new Subject<void>()
    life.onDeath(() => dead$.next())
    const options: Options<Entities> = {
      storage: world.disk.of(life),
      scheduler: clockOf(world, life),
      random: () => world.random.next(),
      createId: () => world.createId(),
      locks: world.locks.of(life),
      online$: this.online$.pipe(takeUntil(dead$)),
      owner: config.owners > 1 ? this.owner$.pipe(takeUntil(dead$)) : '',
      concurrency: config.concurrency,
      maxOvertakes: config.maxOvertakes,
      quiet: config.quiet,
      breaker: config.breaker,
      retryConfig: config.retry,
      jitter: config.jitter,
      attemptTimeout: config.attemptTimeout,
      maxRetryAfter: config.maxRetryAfter,
    }
    const resolver = resolverOf(world, life)
    if (resolver) options.conflict = { note: resolver, tag: resolver }
    if (capabilities.channel) Object.assign(options, { channel: (name: string) => world.channels.open(life, name) })
    if (capabilities.steal) Object.assign(options, { leaderTimeout: config.leaderTimeout })
    if (capabilities.mirror && config.mirror) Object.assign(options, { snapshot: world.mirror.of(life) })
    if (capabilities.strict) Object.assign(options, { durability: config.durability })
    if (config.pull) {
      const takes = (type: string) => (changes: readonly IncomingChange<Row>[]) =>
        world.store.take(life, this.owner$.value ?? '', type, changes)
      options.pull = config.pull
      options.apply = { note: takes('note'), tag: takes('tag') }
    }
    const persistence = createPersistence<Entities>({
      strategies: { note: world.server.strategy(life, 'note'), tag: world.server.strategy(life, 'tag') },
      options: { ...options, bus },
    })
    const told =
      <T>(hear: (value: T) => void) =>
      (value: T) =>
        life.isAlive && hear(value)
    persistence.results$.subscribe(told((result) => this.hear(result)))
    persistence.errors$.subscribe(told((error) => this.hearError(error)))
    // After a crash nobody is told again that a retry was enqueued.
    for (const name of ['queue:task-enqueued', 'queue:task-processing'] as const) {
      bus.on(name).subscribe(
        told(({ task: { id: task, retryOf: from, expiresAt } }) => {
          if (from !== undefined) world.record({ is: 'made', life: life.id, task, from, expiresAt })
        }),
      )
    }
    bus.on('queue:task-discarded').subscribe(
      told(({ task }) => {
        if (task.outcome) world.record({ is: 'removed', life: life.id, task: task.id })
      }),
    )
    bus.on('entity:conflict').subscribe(
      told(({ taskId }) => {
        world.hit('conflict asked', true)
        world.onAsked()
        if (!world.asked.has(taskId)) world.asked.set(taskId, life.id)
      }),
    )
    bus.on('storage:lost').subscribe(told(() => world.record({ is: 'storage lost', life: life.id })))
    bus.on('storage:recovered').subscribe(told(() => world.record({ is: 'storage recovered', life: life.id })))
    return persistence
  }

  private hear(result: TaskResult): void {
    const { world, life } = this
    const { taskId: task } = result
    if (result.status === 'retrying')
      return world.record({ is: 'retrying', life: life.id, task, retryAt: result.retryAt })
    if (result.status === 'conflict') return world.record({ is: 'conflict', life: life.id, task })
    world.record({
      is: 'settle',
      life: life.id,
      task,
      status: result.status,
      inDoubt: result.task.inDoubt ?? false,
      ...(result.status === 'superseded' && { by: result.supersededBy }),
      ...(result.status === 'persisted' && { sent: result.sent }),
    })
  }

  private hearError(error: unknown): void {
    const { name, message } = error instanceof Error ? error : { name: 'no error', message: String(error) }
    this.world.record({ is: 'error', life: this.life.id, name, message })
  }
}

/** What a stream that replays says now. */
function now<T>(stream$: { subscribe: (next: (value: T) => void) => { unsubscribe: () => void } }): T {
  const said: T[] = []
  stream$.subscribe((value) => said.push(value)).unsubscribe()
  const [first] = said
  if (first === undefined) throw new RangeError('The stream has no present value.')
  return first
}
