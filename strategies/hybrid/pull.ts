import type { PullPage, PullRequest, RemoteRow } from 'rx-outbox'
import type { Leg } from './legs.ts'
import { within } from './told.ts'

/** The checkpoint of the whole: that of each leg, and who is next while a pull goes on. */
interface Stored {
  legs: ReadonlyMap<string, unknown>
  at?: string
}

/**
 * One page of one leg; when a leg has no more the next one follows. One that fails is passed over, and its error is
 * thrown when the others have nothing new, so that nobody waits for it.
 */
export async function pullInTurn<T>(pullers: readonly Leg<T>[], request: PullRequest): Promise<PullPage<T>> {
  const { legs, at } = isStored(request.checkpoint) ? request.checkpoint : { legs: new Map<string, unknown>() }
  const checkpoints = new Map(pullers.flatMap(({ name }) => (legs.has(name) ? [[name, legs.get(name)] as const] : [])))
  const start = Math.max(
    0,
    pullers.findIndex(({ name }) => name === at),
  )
  const errors: unknown[] = []
  const turns = [...pullers.keys()].map((i) => (start + i) % pullers.length)
  for (const turn of turns) {
    // Those before `start` have been asked in this pull already: again only if whoever was next cannot be had.
    if (turn < start && errors.length === 0) break
    const puller = pullers[turn]
    if (!puller) break
    try {
      const page = await pageOf(puller, { ...request, checkpoint: checkpoints.get(puller.name) })
      checkpoints.set(puller.name, page.checkpoint)
      if (page.changed.length + page.deleted.length === 0 && !page.more) continue
      const next = page.more ? puller : pullers[turn + 1]
      return {
        ...page,
        changed: puller.counts ? page.changed : page.changed.map(withoutVersion),
        checkpoint: { legs: checkpoints, ...(next && { at: next.name }) } satisfies Stored,
        more: next !== undefined,
      }
    } catch (error) {
      request.signal.throwIfAborted()
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
  return { changed: [], deleted: [], checkpoint: { legs: checkpoints } satisfies Stored, more: false }
}

function withoutVersion<T>(row: RemoteRow<T> | Error): RemoteRow<T> | Error {
  if (row instanceof Error) return row
  const { version: _, ...rest } = row
  return rest
}

/** For ways to one backend, which have one checkpoint: the first that answers. */
export async function pullFromFirst<T>(
  pullers: readonly Leg<T>[],
  patience: number,
  request: PullRequest,
): Promise<PullPage<T>> {
  const errors: unknown[] = []
  for (const [i, puller] of pullers.entries()) {
    try {
      return await pageOf(puller, request, i < pullers.length - 1 ? patience : Infinity)
    } catch (error) {
      request.signal.throwIfAborted()
      errors.push(error)
    }
  }
  throw errors[0]
}

async function pageOf<T>({ name, strategy }: Leg<T>, request: PullRequest, patience = Infinity): Promise<PullPage<T>> {
  const ask = (signal: AbortSignal) => strategy.pull?.({ ...request, signal }) ?? []
  const page = await within(patience, name, request.signal, ask)
  if (!page) throw new TypeError(`${name}: pull() completed without a page.`)
  return page
}

function isStored(value: unknown): value is Stored {
  return typeof value === 'object' && value !== null && 'legs' in value && value.legs instanceof Map
}
