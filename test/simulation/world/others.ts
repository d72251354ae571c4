import type { World } from './world.ts'

/** Somebody else writes, or deletes. */
export function writeAsOther(world: World, owner: string, entity: string, isSaved: boolean): void {
  const { rows } = world.server
  const at = `${owner}/${entity}`
  if (!isSaved && !rows.get(at)) return
  world.hit(isSaved ? 'other saves' : 'other removes')
  const id = entity.slice(entity.indexOf(' ') + 1)
  const version = isSaved ? rows.put(at, (rev) => ({ id, rev: -rev, note: 'from elsewhere' })).version : rows.remove(at)
  world.record({ is: 'other', owner, entity, rev: isSaved ? -version : null, version })
}
