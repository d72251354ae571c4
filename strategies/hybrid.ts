import type { PersistenceStrategy } from 'rx-outbox'
import { confirm } from './hybrid/confirm.ts'
import { inTurn } from './hybrid/inTurn.ts'
import { known, type Leg, type Legs, legsOf } from './hybrid/legs.ts'
import { pullFromFirst } from './hybrid/pull.ts'
import { routed } from './hybrid/routed.ts'
import { type RouteQuestion, strategyOf } from './hybrid/strategy.ts'

export type { Legs } from './hybrid/legs.ts'
export type { RouteQuestion } from './hybrid/strategy.ts'

export interface ReadOptions<L extends string> {
  /**
   * The legs that `pull` and `changes$` read, in this order. Of an entity that several have, what comes last counts.
   * @default the primary leg; of `route` all of them
   */
  reads?: readonly L[]
}

export interface LegOptions<L extends string> extends ReadOptions<L> {
  /** The leg whose backend id, version, receipt, conflicts and `coalesce` are those of the whole. @default the first */
  primary?: L
}

export interface QuorumOptions<L extends string> extends LegOptions<L> {
  /** Milliseconds the other legs still have once enough have confirmed; then they are aborted. @default 5_000 */
  grace?: number
}

export interface FallbackOptions<L extends string> extends LegOptions<L> {
  /** Milliseconds after which a leg is aborted and the next one tried; the last has no limit. @default 10_000 */
  patience?: number
  /** The legs are ways to one backend: ids, versions and checkpoints of one are those of all. @default false */
  oneBackend?: boolean
}

/**
 * Persisted when every leg has confirmed. They are asked at once; a retry asks only those that have not confirmed.
 * @throws TypeError for a wrong name or option
 *
 * @example all({ cloud: restStrategy<Note>({ url: '/api/notes' }), backup: new BackupStrategy() })
 */
export function all<T, L extends string>(
  legs: Legs<T, L>,
  options: LegOptions<NoInfer<L>> = {},
): PersistenceStrategy<T> {
  return atLeast('all', Object.keys(legs).length, legs, options)
}

/**
 * Persisted when one leg has confirmed; the others get a chance, too, and nobody comes back to them.
 * @throws TypeError for a wrong name or option
 *
 * @example any({ cloud: restStrategy<Note>({ url: '/api/notes' }), peers: p2pStrategy<Note>({ room }) })
 */
export function any<T, L extends string>(
  legs: Legs<T, L>,
  options: QuorumOptions<NoInfer<L>> = {},
): PersistenceStrategy<T> {
  return atLeast('any', 1, legs, options)
}

/**
 * Persisted when `n` legs have confirmed, as `any` is with one.
 * @throws TypeError for a wrong name, option or `n`
 *
 * @example quorum(2, { berlin, paris, rome })
 */
export function quorum<T, L extends string>(
  n: number,
  legs: Legs<T, L>,
  options: QuorumOptions<NoInfer<L>> = {},
): PersistenceStrategy<T> {
  return atLeast('quorum', n, legs, options)
}

/**
 * Persisted by the first leg that confirms, asked one after the other. A conflict is not passed on: the app decides.
 * @throws TypeError for a wrong name or option
 *
 * @example fallback({ near: restStrategy<Note>({ url: nearUrl }), far: restStrategy<Note>({ url: farUrl }) }, { oneBackend: true })
 */
export function fallback<T, L extends string>(
  legs: Legs<T, L>,
  options: FallbackOptions<NoInfer<L>> = {},
): PersistenceStrategy<T> {
  const { patience = 10_000, oneBackend = false } = options
  positive('fallback', 'patience', patience)
  const primary = primaryOf('fallback', legs, options)
  // Two ways to one effect: one key, so that a remote that both lead to knows it.
  const own = legsOf('fallback', legs, (name) => ({ counts: oneBackend || name === primary, ownKey: false }))
  const readers = readersOf('fallback', own, legs, options.reads ?? (oneBackend ? Object.keys(legs) : [primary]))
  return strategyOf({
    legs: own,
    need: 1,
    readers: oneBackend ? readers.slice(0, 1) : readers,
    write: (call, attempt) => inTurn(own, patience, call, attempt),
    ...(oneBackend && { pull: (request) => pullFromFirst(readers, patience, request) }),
  })
}

/**
 * Persisted by the leg that `choose` names, asked at each attempt. Ids and versions are those of whichever leg it was:
 * the legs are ways to one backend, or an entity always goes the same way.
 * @throws TypeError for a wrong name or option
 *
 * @example route(({ data }) => (data?.private ? 'here' : 'cloud'), { cloud, here })
 */
export function route<T, L extends string>(
  choose: (question: RouteQuestion<T>) => NoInfer<L>,
  legs: Legs<T, L>,
  options: ReadOptions<NoInfer<L>> = {},
): PersistenceStrategy<T> {
  const own = legsOf('route', legs, () => ({ counts: true, ownKey: false }))
  return strategyOf({
    legs: own,
    need: 1,
    readers: readersOf('route', own, legs, options.reads ?? Object.keys(legs)),
    write: (call, attempt, question) => routed(own, () => choose(question), call, attempt),
  })
}

function atLeast<T>(
  combinator: string,
  need: number,
  legs: Legs<T, string>,
  options: QuorumOptions<string>,
): PersistenceStrategy<T> {
  const { grace = 5_000 } = options
  positive(combinator, 'grace', grace)
  const primary = primaryOf(combinator, legs, options)
  const own = legsOf(combinator, legs, (name) => ({ counts: name === primary, ownKey: name !== primary }))
  if (!Number.isInteger(need) || need < 1 || need > own.length)
    throw new TypeError(`${combinator}: \`n\` must be a number from 1 to ${own.length}`)
  return strategyOf({
    legs: own,
    need,
    readers: readersOf(combinator, own, legs, options.reads ?? [primary]),
    write: (call, attempt) => confirm({ legs: own, need, grace }, call, attempt),
  })
}

function primaryOf<T>(combinator: string, legs: Legs<T, string>, { primary }: LegOptions<string>): string {
  return primary === undefined ? (Object.keys(legs)[0] ?? '') : known(combinator, 'primary', primary, legs)
}

function readersOf<T>(
  combinator: string,
  own: readonly Leg<T>[],
  legs: Legs<T, string>,
  reads: readonly string[],
): Leg<T>[] {
  const names = new Set(reads.map((name) => known(combinator, 'reads', name, legs)))
  return [...names].flatMap((name) => own.find((leg) => leg.name === name) ?? [])
}

function positive(combinator: string, option: string, ms: number): void {
  if (!(ms >= 0)) throw new TypeError(`${combinator}: \`${option}\` must be a number of ms from 0 up`)
}
