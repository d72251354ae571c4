import type { Operation, PersistenceStrategy } from '../types.ts'

/** What a remote does with the next request. `answer-lost`: applied, and nobody learns of it. */
export type RemoteFailure =
  | 'unreachable'
  | 'silent'
  | 'answer-lost'
  | 'failing'
  | 'refusing'
  | 'unauthorized'
  | 'rate-limited'

/**
 * What a strategy has beyond writing. `versions`: a write on an outdated version is refused as a conflict; `pull` and
 * `changes`: its members `pull` and `changes$`.
 */
export type StrategyFeature = 'versions' | 'pull' | 'changes'

/** What the author of a strategy says of it to `strategyContract`; there are checks for what is named, and no others. */
export interface StrategyHarness<T> {
  /** The entity `id` in its `n`th state, as an app would store it. */
  state: (id: string, n: number) => T
  /** What the remote can be told to do. */
  failures: readonly RemoteFailure[]
  features: readonly StrategyFeature[]
  /** A remote that holds nothing, for each check anew. */
  open: () => StrategyRemote<T> | Promise<StrategyRemote<T>>
}

/** The far side of a strategy, as a check sees it. */
export interface StrategyRemote<T> {
  /** A strategy for this remote, that knows nothing of those made before. */
  connect: () => PersistenceStrategy<T>
  /** What it holds, by local id. */
  rows: () => ReadonlyMap<string, T> | Promise<ReadonlyMap<string, T>>
  /** The writes that had an effect, oldest first; left out where it keeps no such list. */
  applied?: () => readonly Operation[] | Promise<readonly Operation[]>
  /** Needed for `failures`. */
  failNext?: (failure: RemoteFailure) => void | Promise<void>
  /** Resolves when the next request has come. Needed for `'silent'`. */
  arrived?: () => Promise<void>
  /** Somebody else's write; without data a delete. Needed for `features`. */
  write?: (id: string, data: T | undefined) => void | Promise<void>
  /** Resolves when whoever listens to `changes$` is heard of; left out where that is at once. */
  listening?: () => Promise<void>
  close?: () => void | Promise<void>
}
