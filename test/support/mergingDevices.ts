import * as fc from 'fast-check'
import { BehaviorSubject } from 'rxjs'
import { createPersistence, memoryStore, NetworkError, type Persistence, type PersistenceStrategy } from 'rx-outbox'
import { virtualTime, type VirtualTime } from './virtualTime.ts'

export interface Page {
  id: string
  body?: string
  done?: boolean
}

/** A device's way to the others: what it keeps lasts longer than a run of its app. */
export interface Way {
  /** For each run of the app. */
  strategy: () => PersistenceStrategy<Page>
  cut: () => void
  mend: () => void
  /** What the next attempt writes arrives, and nobody hears of it. */
  loseAnswer?: () => void
}

/** What devices share. */
export interface Shared {
  wayOf: (device: number) => Way
  /** All that it holds, where there is a place for that. */
  held?: () => Record<string, Page>
}

const ids = ['p1', 'p2']

export type Happening = { device: number } & (
  | { does: 'type' | 'erase' | 'tick'; page: number; place: number }
  | { does: 'remove'; page: number }
  | { does: 'go offline' | 'go online' | 'lose answer' | 'restart' }
  | { does: 'pass'; ms: number }
)

const weighted = (weight: number, arbitrary: fc.Arbitrary<Happening>) => ({ weight, arbitrary })
const who = fc.nat({ max: 2 })
const page = fc.nat({ max: ids.length - 1 })

export interface History {
  devices: number
  /** Milliseconds for which changes wait to be joined: rows come meanwhile. */
  quiet: number
  happenings: Happening[]
}

export const history: fc.Arbitrary<History> = fc.record({
  quiet: fc.constantFrom(0, 500),
  devices: fc.integer({ min: 2, max: 3 }),
  happenings: fc.array(
    fc.oneof(
      weighted(
        10,
        fc.record({
          device: who,
          does: fc.constantFrom('type', 'type', 'erase', 'tick'),
          page,
          place: fc.nat({ max: 20 }),
        }),
      ),
      weighted(1, fc.record({ device: who, does: fc.constant('remove'), page })),
      weighted(
        4,
        fc.record({ device: who, does: fc.constantFrom('go offline', 'go online', 'lose answer', 'restart') }),
      ),
      weighted(5, fc.record({ device: who, does: fc.constant('pass'), ms: fc.constantFrom(0, 5, 1_500, 20_000) })),
    ),
    { maxLength: 25, size: 'max' },
  ),
})

/** Several devices, each with an app, its outbox and its store, on something that merges. No clock asks for them. */
export class MergingDevices {
  readonly time: VirtualTime
  readonly devices: Device[]
  /** Of each page, what was typed and not erased; `undefined` where it was removed. */
  readonly letters = new Map<string, Set<string> | undefined>(ids.map((id) => [id, new Set()]))
  private readonly shared: Shared
  private readonly erased = new Set<string>()
  /** Whose answer was lost drops its document, and no longer tells what it saw being erased: that may come back. */
  private isLost = false
  private count = 0

  constructor(share: (time: VirtualTime) => Shared, { devices, quiet }: Omit<History, 'happenings'>) {
    this.time = virtualTime()
    this.shared = share(this.time)
    this.devices = Array.from({ length: devices }, (_, at) => new Device(this.time, quiet, this.shared.wayOf(at)))
  }

  async live(happenings: readonly Happening[]): Promise<void> {
    for (const one of happenings) await this.happen(one)
  }

  async happen(one: Happening): Promise<void> {
    const it = this.devices[one.device % this.devices.length]
    if (!it) return
    switch (one.does) {
      case 'type':
      case 'erase':
      case 'tick': {
        const id = ids[one.page] ?? ''
        if (one.does === 'tick') it.save(id, (before) => ({ ...before, id, done: one.place % 2 === 0 }))
        else it.save(id, (before) => ({ ...before, id, body: this.edited(one, id, before?.body) }))
        break
      }
      case 'remove':
        if (it.remove(ids[one.page] ?? '')) this.letters.set(ids[one.page] ?? '', undefined)
        break
      case 'go offline':
      case 'go online':
        it.goOnline(one.does === 'go online')
        break
      case 'lose answer':
        it.way.loseAnswer?.()
        this.isLost ||= it.way.loseAnswer !== undefined
        break
      case 'restart':
        await it.restart()
        break
      case 'pass':
        await this.time.pass(one.ms)
    }
    await this.time.settle()
  }

  private edited({ does, place }: { does: string; place: number }, id: string, body = ''): string {
    // None comes twice: where one was typed can be told.
    const letters = body.split('')
    const at = place % (letters.length + 1)
    const letter = String.fromCharCode(0x4e00 + ++this.count)
    if (does === 'type') {
      letters.splice(at, 0, letter)
      this.letters.get(id)?.add(letter)
    } else
      for (const gone of letters.splice(at, 1)) {
        this.letters.get(id)?.delete(gone)
        this.erased.add(gone)
      }
    return letters.join('')
  }

  /** All are there again, until nothing waits anywhere. */
  async settleDown(): Promise<void> {
    for (const one of this.devices) one.goOnline(true)
    for (let round = 0; round < 30; round++) {
      await this.time.pass(60_000)
      if (this.devices.every(({ left }) => left === 0)) return
    }
    throw new RangeError(`Never settled: ${this.devices.map(({ left }) => left).join()}`)
  }

  /** What devices show that others do not, letters that were lost, doubled or came back, and what was no success. */
  get wrong(): string[] {
    const [first, ...others] = [...(this.shared.held ? [this.shared.held()] : []), ...this.devices.map(shownBy)]
    const same = JSON.stringify(first)
    const unequal = others.filter((other) => JSON.stringify(other) !== same).map((other) => JSON.stringify(other))
    const letters = [...this.letters].flatMap(([id, kept]) => {
      const found = (first?.[id]?.body ?? '').split('').filter((one) => !this.isLost || !this.erased.has(one))
      const expected = kept && [...kept]
      return expected === undefined || found.sort().join('') === expected.sort().join('')
        ? []
        : [`${id} holds ${found.join('')} instead of ${expected.join('')}`]
    })
    const trouble = this.devices.flatMap(({ trouble: own }) => own)
    return [...(unequal.length > 0 ? [`not equal: ${[same, ...unequal].join(' ')}`] : []), ...letters, ...trouble]
  }

  async close(): Promise<void> {
    for (const one of this.devices) await one.close()
  }
}

class Device {
  readonly way: Way
  /** What the app shows. */
  readonly shown = new Map<string, Page>()
  readonly trouble: string[] = []
  left = 0
  persistence: Persistence<{ page: Page }>
  private readonly time: VirtualTime
  private readonly quiet: number
  private readonly online$ = new BehaviorSubject(true)
  private readonly disk = memoryStore()

  constructor(time: VirtualTime, quiet: number, way: Way) {
    this.time = time
    this.quiet = quiet
    this.way = way
    this.persistence = this.open()
  }

  save(id: string, change: (before: Page | undefined) => Page): void {
    const before = this.shown.get(id)
    const data = change(before)
    this.shown.set(id, data)
    this.persistence[before ? 'updated' : 'created']('page', data)
  }

  remove(id: string): boolean {
    if (!this.shown.delete(id)) return false
    this.persistence.deleted('page', id)
    return true
  }

  goOnline(isOnline: boolean): void {
    this.way[isOnline ? 'mend' : 'cut']()
    this.online$.next(isOnline)
  }

  async restart(): Promise<void> {
    await this.close()
    this.persistence = this.open()
  }

  async close(): Promise<void> {
    await this.time.until(this.persistence.close())
  }

  private open(): Persistence<{ page: Page }> {
    const persistence = createPersistence<{ page: Page }>({
      strategies: { page: this.way.strategy() },
      options: {
        storage: this.disk,
        scheduler: this.time.scheduler,
        locks: null,
        online$: this.online$,
        breaker: false,
        quiet: this.quiet,
        pull: { interval: false },
        retryConfig: { maxRetries: Infinity, initialDelay: 1_000, multiplier: 2, maxDelay: 10_000 },
        apply: {
          page: async (changes) => {
            for (const { id, data } of changes)
              if (data) this.shown.set(id, data)
              else this.shown.delete(id)
          },
        },
      },
    })
    persistence.results$.subscribe(({ status, id }) => {
      if (status !== 'persisted' && status !== 'retrying' && status !== 'superseded')
        this.trouble.push(`${id} ended ${status}`)
    })
    persistence.errors$.subscribe((error) => {
      // A pull whose answer is lost says so.
      if (this.way.loseAnswer && error instanceof NetworkError) return
      this.trouble.push(String(error))
    })
    persistence.status$.subscribe(({ phase, pending, processing, waiting, parked, dead }) => {
      if (phase === 'running') this.left = pending + processing + waiting + parked + dead
    })
    return persistence
  }
}

function shownBy({ shown }: Device): Record<string, Page> {
  return Object.fromEntries([...shown].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, row]) => [id, inOrder(row)]))
}

/** Fields in one order, for comparing texts. */
export function inOrder(row: Page): Page {
  return Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))) as unknown as Page
}
