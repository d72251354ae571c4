import type { JournalStore } from '../../../lib/storage/journalStore.ts'
import { capabilities } from '../capabilities.ts'
import type { Pending, StoreFate } from '../script.ts'
import type { Life } from './life.ts'
import type { World } from './world.ts'

interface Piece {
  bytes: Uint8Array
  /** When it was written, and when it is on the disk for good (ms of true time). */
  at: number
  flushedAt: number
}

/** What one call does to the disk, once it does it. `tear` does a part of it. */
interface Effect<T> {
  name: 'list' | 'read' | 'append' | 'replace' | 'remove'
  apply: () => T
  tear?: (keeps: number) => void
}

/** The disk that all tabs share: journals of bytes, and everything that can go wrong with them. */
export class Disk {
  /** Appending is refused until then (ms of true time). */
  quotaUntil = 0
  private readonly world: World
  private readonly spaces = new Map<string, Map<string, Piece[]>>()
  private calls = 0

  constructor(world: World) {
    this.world = world
  }

  /** The store as one life sees it. */
  of(life: Life): JournalStore {
    const { durability } = this.world.script.config
    return {
      kind: 'simulated',
      durability,
      list: (space) => this.call(life, { name: 'list', apply: () => this.list(space) }),
      read: (space, journal) => this.call(life, { name: 'read', apply: () => this.read(space, journal) }),
      append: (space, journal, group) => {
        const bytes = group.slice()
        return this.call(life, {
          name: 'append',
          apply: () => {
            this.add(space, journal, bytes)
            this.world.record({ is: 'append', life: life.id, space, journal, tasks: tasksIn(bytes) })
          },
          // Without its last newline alone it is whole.
          tear: (keeps) => this.add(space, journal, bytes.slice(0, Math.floor((bytes.length - 1) * keeps))),
        })
      },
      replace: (space, journal, group) => {
        const bytes = group.slice()
        return this.call(life, {
          name: 'replace',
          apply: () => {
            const { now } = this.world.loop
            this.journals(space).set(journal, [{ bytes, at: now, flushedAt: now }])
            this.world.record({ is: 'replace', life: life.id, space, journal, tasks: tasksIn(bytes) })
          },
        })
      },
      remove: (space, journal) =>
        this.call(life, {
          name: 'remove',
          apply: () => {
            // A file system that orders: what was written before a file went is on the disk before it goes.
            this.flush(space)
            this.journals(space).delete(journal)
          },
        }),
      close: async () => {},
    }
  }

  wipe(): void {
    this.spaces.clear()
  }

  /** Every journal loses what was not flushed, but for a share of it. Returns since when (ms of true time) something is gone. */
  powerCut(keeps: number): number {
    const { now } = this.world.loop
    let since = Infinity
    for (const journals of this.spaces.values()) {
      for (const [name, pieces] of journals) {
        const safe = pieces.filter(({ flushedAt }) => flushedAt <= now).length
        const kept = safe + Math.floor((pieces.length - safe) * keeps)
        for (const { at } of pieces.splice(kept)) since = Math.min(since, at)
        if (pieces.length === 0) journals.delete(name)
      }
    }
    return since
  }

  /** Whether a text is anywhere on the disk. */
  holds(text: string): boolean {
    for (const journals of this.spaces.values())
      for (const pieces of journals.values()) if (pieces.some(({ bytes }) => latin(bytes).includes(text))) return true
    return false
  }

  private journals(space: string): Map<string, Piece[]> {
    const known = this.spaces.get(space)
    if (known) return known
    const made = new Map<string, Piece[]>()
    this.spaces.set(space, made)
    return made
  }

  /** In whatever order the disk has them. */
  private list(space: string): string[] {
    const names = [...this.journals(space).keys()]
    return this.world.script.seed % 2 === 0 ? names : names.toReversed()
  }

  private add(space: string, journal: string, bytes: Uint8Array): void {
    const { now } = this.world.loop
    const { durability, flushAfter } = this.world.script.config
    const piece = { bytes, at: now, flushedAt: durability === 'strict' ? now : now + flushAfter }
    const pieces = this.journals(space).get(journal)
    if (pieces) pieces.push(piece)
    else this.journals(space).set(journal, [piece])
  }

  private flush(space: string): void {
    for (const pieces of this.journals(space).values())
      for (const piece of pieces) piece.flushedAt = Math.min(piece.flushedAt, this.world.loop.now)
  }

  private read(space: string, journal: string): Uint8Array[] {
    const pieces = (this.journals(space).get(journal) ?? []).map(({ bytes }) => bytes)
    return capabilities.pieces ? this.world.inPieces(pieces) : pieces.map((bytes) => bytes.slice())
  }

  private call<T>(life: Life, effect: Effect<T>): Promise<T> {
    const { world } = this
    return new Promise((resolve, reject) => {
      if (!life.step()) return
      const fate = world.isCalm ? undefined : world.fates.get(this.calls++)
      if (this.isRefused(life, effect, fate, reject)) return
      const underway = {
        end(pending: Pending) {
          if (pending === 'done') effect.apply()
          else if (pending === 'torn' && effect.tear) {
            world.hit('append torn')
            effect.tear(0.5)
          }
        },
      }
      life.underway.add(underway)
      const land = () => {
        life.underway.delete(underway)
        const result = effect.apply()
        if (!life.step()) return
        if (life.isFrozen) world.loop.in(0, () => resolve(result), life)
        else resolve(result)
      }
      const ms = fate?.is === 'hangs' ? fate.ms : world.latency()
      if (fate?.is === 'hangs') {
        world.hit('call hangs')
        world.hangsUntil = Math.max(world.hangsUntil, world.loop.now + ms)
        world.record({ is: 'store fault', life: life.id })
      }
      if (ms === 0) land()
      // What the browser was asked for happens although the tab is frozen.
      else world.loop.in(ms, () => life.isAlive && land())
    })
  }

  /** Whether the call comes to nothing. */
  private isRefused<T>(
    life: Life,
    effect: Effect<T>,
    fate: StoreFate | undefined,
    reject: (error: unknown) => void,
  ): boolean {
    const { world } = this
    const refuse = (name: string, message: string): true => {
      world.record({ is: 'store fault', life: life.id })
      world.loop.in(world.latency(), () => reject(new DOMException(message, name)), life)
      return true
    }
    if (fate?.is === 'lost') {
      world.hit('call never answered')
      world.record({ is: 'store fault', life: life.id })
      life.isStuck = true
      return true
    }
    if (fate?.is === 'torn') {
      if (effect.tear) {
        world.hit('append torn')
        effect.tear(fate.keeps)
      }
      world.crash(life, fate.reopen, 'lost')
      return true
    }
    if (life.deadHandleUntil > world.loop.now) {
      world.hit('dead handle')
      return refuse('InvalidStateError', 'The handle is closed.')
    }
    if (this.quotaUntil > world.loop.now && (effect.name === 'append' || effect.name === 'replace')) {
      world.hit('quota')
      return refuse('QuotaExceededError', 'There is no room left.')
    }
    if (fate?.is !== 'fails') return false
    world.hit(effect.name === 'append' ? 'append fails' : 'call fails')
    return refuse('UnknownError', 'Something went wrong, 400 401 404 500.')
  }
}

const latin = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

/** The tasks that a group names. */
const tasksIn = (bytes: Uint8Array): string[] => latin(bytes).match(/T\d+/g) ?? []
