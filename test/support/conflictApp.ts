import { onTestFinished } from 'vitest'
import { createPersistence } from '../../lib/persistence.ts'
import type { ConflictResolver, Conflict } from '../../lib/conflict.ts'
import { memoryStore } from '../../lib/storage/memory.ts'
import type { Options } from '../../lib/api.ts'
import type { TaskResult } from '../../lib/types.ts'
import { VersionedRemote } from './versionedRemote.ts'
import { virtualTime } from './virtualTime.ts'

export interface Card {
  id: string
  title?: string
  text?: string
  tags?: string[]
}

type Cards = { card: Card; note: Card }

/** An app of cards in virtual time, its remote with versions, and what it was told. */
export function conflictApp(
  conflict: ConflictResolver<Card> | undefined,
  options: Options<Cards> = {},
  { remote = new VersionedRemote<Card>(), time = virtualTime(), strategy = {} } = {},
) {
  const notes = new VersionedRemote<Card>()
  const persistence = createPersistence<Cards>({
    strategies: { card: { ...remote.strategy(), ...strategy }, note: notes.strategy() },
    options: {
      storage: memoryStore(),
      scheduler: time.scheduler,
      locks: null,
      breaker: false,
      retryConfig: { maxRetries: 3, initialDelay: 1_000, multiplier: 2, maxDelay: 60_000 },
      ...(conflict && { conflict: { card: conflict } }),
      ...options,
    },
  })
  const results: TaskResult[] = []
  const errors: unknown[] = []
  let conflicts: readonly Conflict<Card>[] = []
  persistence.results$.subscribe((result) => results.push(result))
  persistence.errors$.subscribe((error) => errors.push(error))
  persistence.conflicts$.subscribe((open) => (conflicts = open))
  onTestFinished(() => time.until(persistence.close()))
  return {
    persistence,
    remote,
    notes,
    time,
    results,
    errors,
    get conflicts() {
      return conflicts
    },
    /** Lets everything happen that can, up to a minute. */
    rest: () => time.pass(60_000),
    async resolve(...args: Parameters<typeof persistence.resolve>) {
      await time.until(persistence.resolve(...args))
      await time.pass(1)
    },
  }
}

export type ConflictApp = ReturnType<typeof conflictApp>

/** Both sides have the card as its first version; then the remote changes it. */
export async function withConflict(app: ConflictApp, first: Card, theirs: Card | undefined): Promise<void> {
  app.persistence.created('card', first)
  await app.rest()
  app.remote.put(first.id, theirs)
}
