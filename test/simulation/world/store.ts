import type { IncomingChange } from '../../../lib/remote.ts'
import type { TakingFate } from '../script.ts'
import type { Life } from './life.ts'
import type { Row } from './rows.ts'
import type { World } from './world.ts'

/** What the app shows of an entity. */
interface Shown {
  rev: number | null
  /** Counts all writes. */
  write: number
  /** In which life the user changed it, while nobody knows whether the outbox has stored that. */
  unsure: Life | undefined
}

const fine: TakingFate = { is: 'fine', ms: 0 }

/** The app's own store, which all tabs share, as an IndexedDB: what the user changed, and what others did. */
export class Store {
  private readonly world: World
  private readonly rows = new Map<string, Shown>()
  private readonly fates: Map<number, TakingFate>
  private writes = 0
  private takings = 0

  constructor(world: World) {
    this.world = world
    this.fates = new Map(world.script.takings)
  }

  has(at: string): boolean {
    return (this.rows.get(at)?.rev ?? null) !== null
  }

  /** The user changed something; to be told when the outbox has stored, or refused it. */
  change(at: string, rev: number | null, life: Life): () => void {
    const shown: Shown = { rev, write: ++this.writes, unsure: life }
    this.rows.set(at, shown)
    return () => void (shown.unsure = undefined)
  }

  of(owner: string): [entity: string, rev: number][] {
    const prefix = `${owner}/`
    return [...this.rows].flatMap(([at, { rev }]) =>
      at.startsWith(prefix) && rev !== null ? [[at.slice(prefix.length), rev] as [string, number]] : [],
    )
  }

  /** The option `apply`. */
  async take(life: Life, owner: string, type: string, changes: readonly IncomingChange<Row>[]): Promise<void> {
    const { world } = this
    if (!life.step()) return never()
    const taking = this.takings++
    const { is, ms } = (world.isCalm ? undefined : this.fates.get(taking)) ?? fine
    const { writes } = this
    const about = { life: life.id, taking, owner }
    world.record({ is: 'given', ...about, rows: changes.map((change) => noteOf(type, change)) })
    if (ms > 0) world.hit('taking over slow')
    let isOpen = true
    life.onDeath(() => isOpen && world.hit('taking over cut by a crash'))
    if (ms > 0 && is === 'at once') await this.wait(life, ms)
    for (const [at, change] of changes.entries()) {
      if (is === 'throws' && at === changes.length >> 1) {
        world.hit('taking over throws')
        world.record({ is: 'taken', ...about, whole: false })
        isOpen = false
        throw new Error('The app could not take it over.')
      }
      if (is === 'cut' && at === changes.length >> 1) {
        world.crash(life, 500, 'lost')
        return never()
      }
      if (ms > 0 && is !== 'at once') await this.wait(life, ms)
      this.write(life, owner, type, change, writes, taking)
    }
    isOpen = false
    world.record({ is: 'taken', ...about, whole: true })
  }

  /** Who takes over looks at what is there: what the user changed meanwhile stays. */
  private write(
    life: Life,
    owner: string,
    type: string,
    change: IncomingChange<Row>,
    since: number,
    taking: number,
  ): void {
    const note = noteOf(type, change)
    const at = `${owner}/${note.entity}`
    const shown = this.rows.get(at)
    const isElsewhere = shown?.unsure !== undefined && shown.unsure !== life && shown.unsure.isAlive
    const isKept = shown !== undefined && (shown.write > since || isElsewhere)
    if (isKept) this.world.hit('changed while taken over')
    else this.rows.set(at, { rev: note.rev, write: ++this.writes, unsure: undefined })
    this.world.record({ is: 'took', life: life.id, taking, owner, ...note, kept: isKept })
  }

  private async wait(life: Life, ms: number): Promise<void> {
    await new Promise<void>((resolve) => this.world.loop.in(ms, () => life.step() && resolve(), life))
  }
}

const noteOf = (type: string, { id, data, ...change }: IncomingChange<Row>) => ({
  entity: `${type} ${id}`,
  rev: data?.rev ?? null,
  version: 'version' in change && change.version !== undefined ? Number(change.version) : null,
})

/** Who is dead waits for ever. */
const never = (): Promise<never> => new Promise(() => undefined)
