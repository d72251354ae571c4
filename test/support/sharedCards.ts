import * as fc from 'fast-check'
import { BehaviorSubject } from 'rxjs'
import type { Persistence } from '../../lib/api.ts'
import { createPersistence } from '../../lib/persistence.ts'
import { mergeFields } from '../../lib/resolvers/mergeFields.ts'
import { memoryStore } from '../../lib/storage/memory.ts'
import { type Fate, VersionedRemote } from './versionedRemote.ts'
import { virtualTime } from './virtualTime.ts'

/** A field of each device's own, which nobody else changes, and one that all change. */
export interface SharedCard {
  id: string
  [field: string]: string
}

const ids = ['c1', 'c2']

/** One thing that happens to one of the devices. */
export type Happening = { device: number } & (
  | { does: 'write'; card: number; field: 'own' | 'shared' }
  | { does: 'go offline' | 'go online' | 'restart' }
  | { does: 'pass'; ms: number }
)

export interface History {
  devices: number
  happenings: Happening[]
  fates: Fate[]
}

const weighted = (weight: number, arbitrary: fc.Arbitrary<Happening>) => ({ weight, arbitrary })
const anyDevice = fc.nat({ max: 3 })

export const history: fc.Arbitrary<History> = fc.record({
  devices: fc.integer({ min: 2, max: 4 }),
  happenings: fc.array(
    fc.oneof(
      weighted(
        8,
        fc.record({
          device: anyDevice,
          does: fc.constant('write'),
          card: fc.nat({ max: ids.length - 1 }),
          field: fc.constantFrom('own', 'own', 'shared'),
        }),
      ),
      weighted(3, fc.record({ device: anyDevice, does: fc.constantFrom('go offline', 'go online', 'restart') })),
      weighted(
        5,
        fc.record({ device: anyDevice, does: fc.constant('pass'), ms: fc.constantFrom(0, 60, 1_500, 20_000) }),
      ),
    ),
    { maxLength: 30, size: 'max' },
  ),
  fates: fc.array(fc.constantFrom<Fate[]>('fine', 'fine', 'fine', 'down', 'broken', 'lost'), { maxLength: 30 }),
})

/** Several devices on one remote. None of them hears of the others but by conflicts. */
export class SharedCards {
  readonly time = virtualTime()
  readonly remote = new VersionedRemote<SharedCard>()
  readonly errors: unknown[] = []
  readonly devices: Device[]
  private count = 0

  constructor({ devices, fates }: History) {
    let next = 0
    this.remote.fate = () => fates[next++] ?? 'fine'
    this.devices = Array.from({ length: devices }, (_, at) => new Device(this, `d${at}`))
  }

  async live(happenings: readonly Happening[]): Promise<void> {
    for (const one of happenings) {
      const device = this.devices[one.device % this.devices.length]
      if (!device) continue
      if (one.does === 'pass') await this.time.pass(one.ms)
      else if (one.does === 'write') device.write(ids[one.card] ?? '', one.field, `${device.name}.${++this.count}`)
      else if (one.does === 'restart') await device.restart()
      else device.online$.next(one.does === 'go online')
      await this.time.settle()
    }
  }

  /** Fair weather, until nothing waits anywhere. */
  async settleDown(): Promise<void> {
    this.remote.fate = () => 'fine'
    for (let round = 0; round < 30; round++) {
      for (const { online$, persistence } of this.devices) {
        online$.next(true)
        await this.time.until(persistence.retryAll())
      }
      await this.time.pass(60_000)
      if (this.devices.every(({ left }) => left === 0)) return
    }
    throw new RangeError(`Never settled: ${this.devices.map(({ left }) => left).join()}`)
  }

  async close(): Promise<void> {
    for (const { persistence } of this.devices) await this.time.until(persistence.close())
  }

  /** What the remote holds, and does not agree with what devices wrote last. */
  get wrong(): string[] {
    return ids.flatMap((id) => {
      const row = this.remote.dataOf(id) ?? { id }
      const last = this.devices.map(({ written }) => written.get(id))
      const shared = last.flatMap((fields) => fields?.['shared'] ?? [])
      const lost = this.devices.flatMap(({ name, written }) => {
        const mine = written.get(id)?.[name]
        return row[name] === mine ? [] : [`${id}.${name} is ${row[name]}, and was written as ${mine}`]
      })
      const isRight = shared.length === 0 ? row['shared'] === undefined : shared.includes(row['shared'] ?? '')
      return isRight ? lost : lost.concat(`${id}.shared is ${row['shared']}, none of ${shared.join()}`)
    })
  }
}

class Device {
  readonly name: string
  readonly online$ = new BehaviorSubject(true)
  /** What this device wrote last, field by field. */
  readonly written = new Map<string, SharedCard>()
  /** What it shows: what it wrote, and took over. */
  private readonly shown = new Map<string, SharedCard>()
  persistence: Persistence<{ card: SharedCard }>
  left = 0
  private readonly world: SharedCards
  private readonly disk = memoryStore()

  constructor(world: SharedCards, name: string) {
    this.world = world
    this.name = name
    this.persistence = this.open()
  }

  write(id: string, field: 'own' | 'shared', value: string): void {
    const before = this.shown.get(id)
    const change = { id, [field === 'own' ? this.name : 'shared']: value }
    const data = { ...before, ...change }
    this.written.set(id, { ...this.written.get(id), ...change })
    this.shown.set(id, data)
    if (before) this.persistence.updated('card', data)
    else this.persistence.created('card', data)
  }

  async restart(): Promise<void> {
    await this.world.time.until(this.persistence.close())
    this.persistence = this.open()
  }

  private open() {
    const { time, remote, errors } = this.world
    const persistence = createPersistence<{ card: SharedCard }>({
      strategies: { card: remote.strategy() },
      options: {
        storage: this.disk,
        scheduler: time.scheduler,
        locks: null,
        online$: this.online$,
        breaker: false,
        conflict: { card: mergeFields() },
        apply: {
          card: async (changes) => {
            for (const { id, data } of changes) if (data) this.shown.set(id, data)
            await time.settle()
          },
        },
        retryConfig: { maxRetries: 3, initialDelay: 1_000, multiplier: 2, maxDelay: 10_000 },
      },
    })
    persistence.errors$.subscribe((error) => errors.push(error))
    persistence.status$.subscribe(({ phase, pending, processing, waiting, parked, dead }) => {
      if (phase === 'running') this.left = pending + processing + waiting + parked + dead
    })
    return persistence
  }
}
