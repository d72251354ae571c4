import * as fc from 'fast-check'
import { BehaviorSubject, firstValueFrom, Subject, takeUntil } from 'rxjs'
import type { Persistence } from '../../lib/api.ts'
import { NetworkError } from '../../lib/errors.ts'
import type { ConflictResolver } from '../../lib/conflict.ts'
import { createPersistence } from '../../lib/persistence.ts'
import { localWins } from '../../lib/resolvers/localWins.ts'
import { remoteWins } from '../../lib/resolvers/remoteWins.ts'
import type { IncomingChange } from '../../lib/remote.ts'
import { memoryStore } from '../../lib/storage/memory.ts'
import { ModelServer } from './modelServer.ts'
import { mortal } from './mortalStore.ts'
import type { Note } from './remote.ts'
import { virtualTime } from './virtualTime.ts'

interface Entities {
  note: Note
}

const ids = ['n1', 'n2', 'n3']

export type Happening =
  | { does: 'save' | 'remove' | 'other saves' | 'other removes'; id: string }
  | { does: 'pass'; ms: number }
  | { does: 'pull' | 'hint' | 'restart' | 'crash' | 'go offline' | 'go online' | 'discard all' }

/** How long something takes on its way there and back, in virtual ms, and whether its answer is lost. */
interface Way {
  there: number
  back: number
  isLost: boolean
}

export interface Climate {
  isVersioned: boolean
  isLive: boolean
  resolver: ConflictResolver<Note>
  limit: number
  concurrency: number
  applies: number[]
  pulls: Way[]
  writes: Way[]
  lives: number[]
}

const id = fc.constantFrom(...ids)
const ms = fc.constantFrom(0, 0, 0, 3, 40, 300)
const way = fc.record({ there: ms, back: ms, isLost: fc.constantFrom(false, false, false, true) })

export const histories: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ does: fc.constantFrom('save' as const, 'other saves' as const), id }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('remove' as const, 'other removes' as const), id }) },
    { weight: 9, arbitrary: fc.record({ does: fc.constant('pass' as const), ms: fc.constantFrom(1, 20, 200, 6_000) }) },
    { weight: 6, arbitrary: fc.record({ does: fc.constantFrom('pull' as const, 'hint' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        does: fc.constantFrom('restart' as const, 'crash' as const, 'go offline' as const, 'go online' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('discard all' as const) }) },
  ),
  { maxLength: 40, size: 'max' },
)

export const climates: fc.Arbitrary<Climate> = fc.record({
  isVersioned: fc.boolean(),
  isLive: fc.boolean(),
  resolver: fc.constantFrom(localWins, remoteWins),
  limit: fc.constantFrom(1, 2, 500),
  concurrency: fc.constantFrom(1, 2),
  applies: fc.array(ms, { maxLength: 20, size: 'max' }),
  pulls: fc.array(way, { maxLength: 20, size: 'max' }),
  writes: fc.array(way, { maxLength: 20, size: 'max' }),
  lives: fc.array(ms, { maxLength: 20, size: 'max' }),
})

/** An app that shows notes, its outbox, and a server to which others write; several runs of it, one after the other. */
export class SyncLife {
  readonly time = virtualTime()
  readonly server: ModelServer
  /** What the app shows: it outlives every run. */
  readonly shown = new Map<string, string>()
  /** What must never happen. */
  readonly wrong: string[] = []
  readonly errors: unknown[] = []
  private readonly climate: Climate
  /** The revision of what is shown, as far as the server has made one of it. */
  private readonly seen = new Map<string, number>()
  /** Own changes without an end. */
  private readonly open = new Map<string, string>()
  /** Entities of which a change never reached the server: the app alone knows what to show then. */
  private readonly givenUp = new Set<string>()
  private readonly disk = memoryStore()
  private readonly online$ = new BehaviorSubject(true)
  private readonly revisionOf = new Map<string, number>()
  private persistence: Persistence<Entities> | undefined
  private kill = () => {}
  private texts = 0
  private ids = 0
  private isFair = false
  private liveAt = 0

  constructor(climate: Climate) {
    this.climate = climate
    this.server = new ModelServer(climate)
    const ways = { pull: [...climate.pulls], write: [...climate.writes] }
    const next = (of: keyof typeof ways) => (this.isFair ? undefined : ways[of].shift())
    let pull: Way | undefined
    this.server.pulling = () => this.wait((pull = next('pull'))?.there)
    this.server.paged = async () => {
      const own = pull
      await this.wait(own?.back)
      if (own?.isLost) throw new NetworkError('lost')
    }
    const writing = new Map<string, Way | undefined>()
    this.server.applying = async (of) => {
      writing.set(of, next('write'))
      await this.wait(writing.get(of)?.there)
    }
    this.server.answering = async (of) => {
      this.remember(of)
      const own = writing.get(of)
      await this.wait(own?.back)
      if (own?.isLost) throw new NetworkError('lost')
    }
    this.run()
  }

  async live(happenings: readonly Happening[]): Promise<void> {
    await this.time.settle()
    for (const one of happenings) {
      await this.happen(one)
      await this.time.settle()
    }
  }

  /** Fair weather; what cannot be delivered is given up, and others write that once more. */
  async settleDown(): Promise<void> {
    this.isFair = true
    this.online$.next(true)
    await this.time.pass(600_000)
    // What is resolved may be refused once more.
    for (let rounds = 0; rounds < 3; rounds++) {
      await this.happen({ does: 'discard all' })
      await this.time.pass(200_000)
    }
    for (const one of this.givenUp) await this.happen({ does: 'other saves', id: one })
    await this.time.pass(1_000)
    await this.happen({ does: 'pull' })
    await this.time.pass(600_000)
  }

  async close(): Promise<void> {
    const { persistence } = this
    if (persistence) await this.time.until(persistence.close())
  }

  private async happen(one: Happening): Promise<void> {
    const persistence = this.persistence
    if (!persistence) return
    switch (one.does) {
      case 'pass':
        return this.time.pass(one.ms)
      case 'save': {
        const text = `own ${++this.texts}`
        const save = this.shown.has(one.id) ? persistence.updated : persistence.created
        this.shown.set(one.id, text)
        const { taskId } = save('note', { id: one.id, text })
        this.open.set(taskId, one.id)
        return
      }
      case 'remove': {
        if (!this.shown.delete(one.id)) return
        this.open.set(persistence.deleted('note', one.id).taskId, one.id)
        return
      }
      case 'other saves':
      case 'other removes':
        return this.otherWrites(one.id, one.does === 'other saves' ? `other ${++this.texts}` : undefined)
      case 'pull':
        return void persistence.pull().catch(() => undefined)
      case 'hint':
        return this.server.say({ hint: true })
      case 'go offline':
      case 'go online':
        return this.online$.next(one.does === 'go online')
      case 'discard all':
        for (const { taskId } of await firstValueFrom(persistence.conflicts$))
          await this.time.until(persistence.resolve(taskId, 'remote'))
        return this.time.until(persistence.discardAll())
      case 'restart':
        await this.close()
        return this.run()
      case 'crash':
        this.kill()
        this.time.kill()
        return this.run()
    }
  }

  private otherWrites(of: string, text: string | undefined): void {
    if (text === undefined && this.server.text(of) === undefined) return
    this.server.put(of, text)
    this.remember(of)
    const row = this.server.rows.get(of)
    if (!row) return
    // In order, however long it takes.
    this.liveAt = Math.max(this.liveAt, this.time.now() + (this.isFair ? 0 : (this.climate.lives.shift() ?? 0)))
    const { data, version } = row
    const change = data
      ? { id: of, data, ...(this.climate.isVersioned && { version }) }
      : { id: of, deleted: true as const }
    const { scheduler } = this.time
    this.server.say(change, (arrive) => void scheduler.schedule(() => arrive(), this.liveAt - scheduler.now()))
  }

  private remember(of: string): void {
    const row = this.server.rows.get(of)
    if (row) this.revisionOf.set(`${of} ${row.data?.text}`, row.revision)
  }

  private async wait(takes = 0): Promise<void> {
    if (takes > 0) await new Promise<void>((done) => this.time.scheduler.schedule(() => done(), takes))
  }

  private take(change: IncomingChange<Note>): void {
    const { id: of, data } = change
    const own = [...this.open].find(([, entity]) => entity === of)
    if (own) this.wrong.push(`${of} was given while ${own[0]} has no end`)
    // A tombstone says nothing of when.
    const revision = data && (this.revisionOf.get(`${of} ${data.text}`) ?? 0)
    const seen = this.seen.get(of) ?? 0
    if (revision !== undefined && revision < seen)
      this.wrong.push(`${of} was given at ${revision} after ${seen} was seen`)
    if (revision !== undefined) this.seen.set(of, revision)
    if (data) this.shown.set(of, data.text)
    else this.shown.delete(of)
  }

  private run(): void {
    const { store, kill } = mortal(this.disk)
    const killed$ = new Subject<void>()
    const { isLive, resolver, limit, concurrency, applies } = this.climate
    let isDead = false
    const persistence = createPersistence<Entities>({
      strategies: { note: this.server.strategy({ isLive }) },
      options: {
        storage: store,
        snapshot: null,
        scheduler: this.time.scheduler,
        online$: this.online$.pipe(takeUntil(killed$)),
        locks: null,
        createId: () => `t${++this.ids}`,
        attemptTimeout: 2_000,
        concurrency,
        pull: { limit, interval: 60_000 },
        retryConfig: { maxRetries: 2, initialDelay: 500, multiplier: 2, maxDelay: 2_000 },
        breaker: false,
        conflict: { note: resolver },
        apply: {
          note: async (changes) => {
            if (isDead) return
            for (const change of changes) this.take(change)
            await this.wait(this.isFair ? 0 : applies.shift())
          },
        },
      },
    })
    persistence.results$.pipe(takeUntil(killed$)).subscribe((result) => {
      if (result.status === 'retrying' || result.status === 'conflict') return
      if (result.status === 'superseded') this.open.set(result.supersededBy, result.id)
      if (result.status === 'failed' || result.status === 'discarded') this.givenUp.add(result.id)
      this.open.delete(result.taskId)
      const data = result.task.data as Note | undefined
      if (result.status === 'persisted' && result.sent && data) {
        const revision = this.revisionOf.get(`${result.id} ${data.text}`) ?? 0
        this.seen.set(result.id, Math.max(revision, this.seen.get(result.id) ?? 0))
      }
    })
    persistence.errors$.pipe(takeUntil(killed$)).subscribe((error) => this.errors.push(error))
    this.kill = () => {
      isDead = true
      kill()
      killed$.next()
    }
    this.persistence = persistence
  }
}
