import type { Fault } from '../faults.ts'
import type { HistoryEvent, Happening } from '../history.ts'
import { createRandom, type Random } from '../random.ts'
import type { Pending, Script, StoreFate } from '../script.ts'
import { Channels } from './channels.ts'
import { Disk } from './disk.ts'
import type { Life } from './life.ts'
import { Locks } from './locks.ts'
import { Loop } from './loop.ts'
import { Mirror } from './mirror.ts'
import { Server } from './server.ts'
import { Store } from './store.ts'

const beginning = Date.UTC(2025, 0, 6)

/** Everything around the library: time, disk, locks, channels, network and server, and what happened so far. */
export class World {
  readonly script: Script
  readonly random: Random
  readonly loop = new Loop(beginning)
  readonly history: HistoryEvent[] = []
  /** Faults, and how often each struck. */
  readonly hits = new Map<Fault, number>()
  /** What became of the calls of the store, by number. */
  readonly fates: Map<number, StoreFate>
  readonly disk: Disk
  readonly mirror: Mirror
  readonly locks: Locks
  readonly channels: Channels
  readonly server: Server
  readonly store: Store
  /** From here on nothing goes wrong any more. */
  isCalm = false
  isOnline = true
  /** Until when a call of the store hangs, or somebody from outside has the lead (ms of true time). */
  hangsUntil = 0
  /** How far the clock on the wall is off, ms. */
  skew = 0
  /** How much longer the server remembers its keys, ms: what clients cannot know of the time that passed. */
  grace = 0
  /** In which life the app was first asked about a task. */
  readonly asked = new Map<string, number>()
  /** Yield points passed. */
  steps = 0
  lives = 0
  /** A tab died: it is opened again later, ms. */
  onCrash: (life: Life, reopen: number) => void = () => undefined
  /** The app is asked about a conflict. */
  onAsked: () => void = () => undefined
  private nextCrash = 0
  private stepsSinceCrash = 0
  private ids = 0

  constructor(script: Script) {
    this.script = script
    this.random = createRandom(script.seed ^ 0x5bd1e995)
    this.fates = new Map(script.stores)
    this.disk = new Disk(this)
    this.mirror = new Mirror(this)
    this.locks = new Locks(this)
    this.channels = new Channels(this)
    this.server = new Server(this)
    this.store = new Store(this)
    this.record({ is: 'config', config: script.config })
  }

  /** Epoch ms, as the wall shows them. */
  get clock(): number {
    return this.loop.now + this.skew
  }

  record(event: Happening): void {
    this.history.push(Object.assign(event, { at: this.loop.now, clock: this.clock }))
  }

  /** A fault struck; or, `always`, something worth counting that also happens in calm. */
  hit(fault: Fault, always = false): void {
    if (!this.isCalm || always) this.hits.set(fault, (this.hits.get(fault) ?? 0) + 1)
  }

  createId(): string {
    return `T${++this.ids}`
  }

  latency(): number {
    const { latency } = this.script.config
    return latency === 0 ? 0 : this.random.int(0, latency)
  }

  step(life: Life): void {
    if (this.isCalm) return
    this.steps++
    const plan = this.script.crashes[this.nextCrash]
    if (!plan || this.stepsSinceCrash++ < plan.step) return
    this.nextCrash++
    this.stepsSinceCrash = 0
    this.hit('crash at a yield point', true)
    this.crash(life, plan.reopen, plan.pending)
  }

  crash(life: Life, reopen: number, pending: Pending): void {
    if (!life.isAlive) return
    this.record({ is: 'crash', life: life.id })
    life.die(pending)
    this.onCrash(life, reopen)
  }

  /** The same bytes, cut anywhere. */
  inPieces(pieces: readonly Uint8Array[]): Uint8Array[] {
    const bytes = Buffer.concat(pieces)
    const cut: Uint8Array[] = []
    for (let from = 0; from < bytes.length;) {
      const to = Math.min(bytes.length, from + this.random.int(1, 2_000))
      cut.push(new Uint8Array(bytes.subarray(from, to)))
      from = to
    }
    return cut
  }
}
