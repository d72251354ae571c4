import type { Conflict, ConflictResolver, Resolution } from '../../../lib/conflict.ts'
import { localWins } from '../../../lib/resolvers/localWins.ts'
import { remoteWins } from '../../../lib/resolvers/remoteWins.ts'
import type { Decision } from '../script.ts'
import type { Life } from './life.ts'
import type { Row } from './rows.ts'
import type { World } from './world.ts'

/** What a decision is to the library. The event stays that of the app; who merges notes whose was merged into it. */
export function resolutionOf({ local, remote }: Conflict<Row>, decision: Decision): Resolution<Row> {
  if (decision !== 'merged') return decision
  return local && remote ? { merged: { ...local, note: remote.note ?? '', merged: remote.rev } } : 'local'
}

export function tellDecision(
  world: World,
  { id: life }: Life,
  { taskId: task, local, remote }: Conflict<Row>,
  by: 'resolver' | 'app',
  decision: Decision,
): void {
  const is = decision === 'merged' && !(local && remote) ? 'local' : decision
  world.record({ is: 'decision', life, task, by, decision: is, remote: remote?.rev ?? null })
}

/** The resolver that the app has, if it has one; a merge may take its time. */
export function resolverOf(world: World, life: Life): ConflictResolver<Row> | undefined {
  const { resolver } = world.script.config
  if (resolver === 'none') return undefined
  if (resolver === 'ask') return () => 'ask'
  const decision = ({ localWins: 'local', remoteWins: 'remote', merge: 'merged' } as const)[resolver]
  return (conflict) => {
    world.hit(resolver === 'merge' ? 'conflict decided by a merge' : `conflict decided by ${resolver}`, true)
    tellDecision(world, life, conflict, 'resolver', decision)
    if (resolver === 'localWins') return localWins()
    if (resolver === 'remoteWins') return remoteWins()
    const merged = resolutionOf(conflict, 'merged')
    const ms = world.latency()
    return ms === 0 ? merged : new Promise((resolve) => world.loop.in(ms, () => life.step() && resolve(merged), life))
  }
}
