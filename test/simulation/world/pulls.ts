import { AuthError, NetworkError, RateLimitError, ServerError } from '../../../lib/errors.ts'
import type { PullPage, PullRequest } from '../../../lib/remote.ts'
import type { PageFate } from '../script.ts'
import type { Life } from './life.ts'
import type { Row, Rows } from './rows.ts'
import type { World } from './world.ts'

const fine: PageFate = { is: 'fine', takes: [0, 0] }

/** Asking the backend what others changed: everything that becomes of pages on their way. */
export class Pulls {
  private readonly world: World
  private readonly rows: Rows
  private readonly fates: Map<number, PageFate>
  private requests = 0

  constructor(world: World, rows: Rows) {
    this.world = world
    this.rows = rows
    this.fates = new Map(world.script.pages)
  }

  ask(life: Life, type: string, { checkpoint: given, limit, owner, signal }: PullRequest): Promise<PullPage<Row>> {
    const { world } = this
    const number = this.requests++
    const { is, takes } = (world.isCalm ? undefined : this.fates.get(number)) ?? fine
    const [arrive, answer] = takes
    const checkpoint = typeof given === 'number' ? given : 0
    return new Promise((resolve, reject) => {
      if (!life.step()) return
      world.record({ is: 'pull', life: life.id, pull: number, owner, type, checkpoint })
      if (is !== 'fine') world.hit(`page ${is}`)
      if (answer > 1_000) world.hit('page late')
      const say = (ms: number, told: () => void) =>
        world.loop.in(
          ms,
          () => {
            if (!life.step() || signal.aborted) return
            world.record({ is: 'page', life: life.id, pull: number, owner, type })
            told()
          },
          life,
        )
      const offline = () => reject(new NetworkError('offline'))
      if (!world.isOnline) return void say(0, offline)
      world.loop.in(arrive, () => {
        // What it says is read here; what is written while it is under way is not in it.
        const page = this.page(owner, type, checkpoint, limit, is)
        if (is === 'silent') return
        const error = errorOf(is)
        say(answer, () => (error ? reject(error) : resolve(page)))
      })
    })
  }

  private page(owner: string, type: string, checkpoint: number, limit: number, is: PageFate['is']): PullPage<Row> {
    const page = this.rows.after(owner, type, checkpoint, limit)
    if (is === 'shuffled') return { ...page, changed: page.changed.toReversed(), deleted: page.deleted.toReversed() }
    if (is !== 'doubled') return page
    // The rows before it come once more.
    const before = this.rows.after(owner, type, 0, Infinity)
    const isNew = new Set([...page.changed.map(idOf), ...page.deleted])
    const has = (id: string) => !isNew.has(id)
    return {
      ...page,
      changed: [...before.changed.filter((row) => has(idOf(row)) && versionOf(row) <= checkpoint), ...page.changed],
    }
  }
}

const idOf = (row: PullPage<Row>['changed'][number]): string => (row instanceof Error ? '' : row.id)
const versionOf = (row: PullPage<Row>['changed'][number]): number =>
  row instanceof Error ? Infinity : Number(row.version)

function errorOf(is: PageFate['is']): Error | undefined {
  switch (is) {
    case 'lost':
      return new NetworkError('lost')
    case 401:
      return new AuthError('401', { status: 401 })
    case 429:
      return new RateLimitError('429', { status: 429, retryAfter: 7_000 })
    case 500:
      return new ServerError('500', { status: 500 })
    default:
      return undefined
  }
}
