import type { FieldConflict } from 'rx-outbox'

/** What either side added is there, what either took away is not. */
export function mergeTagIds({ base = [], local = [], remote = [] }: FieldConflict<string[]>): string[] {
  const kept = remote.filter((id) => local.includes(id) || !base.includes(id))
  return [...kept, ...local.filter((id) => !remote.includes(id) && !base.includes(id))]
}
